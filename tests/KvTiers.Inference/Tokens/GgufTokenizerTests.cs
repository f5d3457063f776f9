using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.MakeModel;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>The vocabulary and template of a GGUF file do what those of the folder do that it was made from, whose tokenizer is held to the reference implementation.</summary>
public sealed class GgufTokenizerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("gpt2", "gpt-2")]
    [InlineData("llama3", "llama-bpe")]
    [InlineData("qwen2", "qwen2")]
    [InlineData("smollm", "smollm")]
    public void TextsHaveTheSameIdsAndComeBack(string name, string pre)
    {
        Tokenizer expected = Tokenizer.Load(GoldenTokenizers.Folder(name)), actual = Tokenizer.Load(Convert(GoldenTokenizers.Folder(name), pre));
        // Such files cannot say that a token takes the space around it, stands between no letters, or is looked for in normalized text.
        string[] beyond = [.. GoldenTokenizers.Json($"{name}/tokenizer.json").GetProperty("added_tokens").EnumerateArray()
            .Where(token => token.GetProperty("lstrip").GetBoolean() || token.GetProperty("rstrip").GetBoolean() || token.GetProperty("single_word").GetBoolean()
                || token.GetProperty("normalized").GetBoolean())
            .Select(token => token.GetProperty("content").GetString()!)];
        string[] texts = [.. GoldenTokenizers.Strings().Where(text => !beyond.Any(token => CanonicalComposition.Compose(text).Contains(CanonicalComposition.Compose(token), StringComparison.Ordinal)))];

        foreach (string text in texts)
        {
            foreach (bool parseSpecial in (bool[])[true, false])
                Assert.Equal(expected.Encode(text, parseSpecial, addSpecial: false), actual.Encode(text, parseSpecial, addSpecial: false));
            Assert.Equal(expected.Decode(expected.Encode(text)), actual.Decode(expected.Encode(text)));
        }
        Assert.True(texts.Length > 50);
        Assert.Equal(expected.MissingBytes, actual.MissingBytes);
        for (int id = 0; id < expected.VocabularySize; id++)
            Assert.Equal(expected.IsSpecial(id), actual.IsSpecial(id));
    }

    [Fact]
    public void ChatsAreTheSame()
    {
        string folder = GoldenTokenizers.RepositoryPath("models", "demo");
        ChatPrompt expected = ChatPrompt.Load(folder), actual = ChatPrompt.Load(Convert(folder, "gpt-2"));
        ChatMessage[] chat = [new("system", "Be kind."), new("user", "My name is Zoë <|im_end|>."), new("assistant", "Hello!"), new("user", "Who am I?")];

        Assert.Equal(expected.Encode(chat, addGenerationPrompt: true).Ids, actual.Encode(chat, addGenerationPrompt: true).Ids);
        Assert.Equal(expected.AnswerClosingIds, actual.AnswerClosingIds);
        Assert.Equal(expected.Tokenizer.BeginOfText, actual.Tokenizer.BeginOfText);
        Assert.Equal(expected.Tokenizer.EndOfText, actual.Tokenizer.EndOfText);
    }

    [Fact]
    public void TokensThatEndAnswersAndBeginTextsAreKnown()
    {
        string file = Convert(GoldenTokenizers.Folder("llama3"), "llama-bpe", metadata =>
        {
            metadata.Remove("tokenizer.ggml.add_bos_token");
            metadata["tokenizer.ggml.bos_token_id"] = 5u;
            metadata["tokenizer.ggml.eos_token_id"] = 6u;
            metadata["tokenizer.ggml.eot_token_id"] = 7u;
        });

        Tokenizer tokenizer = Tokenizer.Load(file);

        Assert.Equal(5, tokenizer.BeginOfText);
        Assert.Equal([6, 7], tokenizer.EndOfText.Take(2));
        Assert.Equal(5, tokenizer.Encode("a")[0]);
    }

    [Theory]
    [InlineData("tokenizer.ggml.model", "llama", "tokenizer.ggml.model: is llama, which is not supported; supported is gpt2")]
    [InlineData("tokenizer.ggml.model", null, "tokenizer.ggml.model: is required")]
    [InlineData("tokenizer.ggml.pre", "tekken", "tokenizer.ggml.pre: is tekken, which is not supported; supported are gpt-2, smollm")]
    [InlineData("tokenizer.ggml.tokens", 3u, "tokenizer.ggml.tokens: is 3 but must be a list of texts")]
    [InlineData("tokenizer.ggml.bos_token_id", 1_000_000u, "tokenizer.ggml.bos_token_id: is 1000000 but must be a whole number from 0 to")]
    [InlineData("tokenizer.ggml.merges", "none", "tokenizer.ggml.merges: is the text 'none' but must be a list of texts")]
    public void VocabulariesThatAreNotSupportedAreRefusedByName(string key, object? value, string expected)
    {
        string file = Convert(GoldenTokenizers.Folder("gpt2"), "gpt-2", metadata =>
        {
            if (value is null)
                metadata.Remove(key);
            else
                metadata[key] = value;
        });

        string message = Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(file)).Message;

        Assert.StartsWith(file, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void MergesOfNoTokensAndTypesThatAreTooFewAreRefused()
    {
        string merge = Convert(GoldenTokenizers.Folder("gpt2"), "gpt-2", metadata => ((string[])metadata["tokenizer.ggml.merges"])[1] = "a  b");
        Assert.Contains("tokenizer.ggml.merges: has \"a  b\" at 1", Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(merge)).Message, StringComparison.Ordinal);

        string types = Convert(GoldenTokenizers.Folder("gpt2"), "gpt-2", metadata => metadata["tokenizer.ggml.token_type"] = (int[])[1, 2]);
        Assert.Contains("and token_type 2 types", Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(types)).Message, StringComparison.Ordinal);

        string twice = Convert(GoldenTokenizers.Folder("gpt2"), "gpt-2", metadata =>
        {
            string[] tokens = (string[])metadata["tokenizer.ggml.tokens"];
            tokens[11] = tokens[10];
        });
        Assert.Contains("twice, at 10 and 11", Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(twice)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileWithoutTemplateCannotChat()
    {
        string file = Convert(GoldenTokenizers.Folder("gpt2"), "gpt-2", metadata => metadata.Remove("tokenizer.chat_template"));

        Assert.Contains("no tokenizer.chat_template", Assert.Throws<TemplateException>(() => ChatTemplate.Load(file)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string Convert(string folder, string pre, Action<Dictionary<string, object>>? edit = null)
    {
        GgufConversion conversion = new([], _ => GgufType.F32);
        conversion.AddVocabulary(folder, pre);
        edit?.Invoke(conversion.Metadata);
        string path = _folder.Sub("vocabulary.gguf");
        File.WriteAllBytes(path, conversion.Write());
        return path;
    }
}
