using System.Text.Json.Nodes;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Tokens;

public sealed class TokenizerFormatTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-tokens-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static JsonNode Gpt2() => JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenTokenizers.Folder("gpt2"), "tokenizer.json")))!;

    private TokenizerFormatException Refused(string json)
    {
        string path = Write("tokenizer.json", json);
        TokenizerFormatException e = Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(_folder));
        Assert.Equal(path, e.Path);
        Assert.StartsWith(path, e.Message);
        return e;
    }

    [Fact]
    public void AMissingFolderIsNamed()
    {
        string missing = Path.Combine(_folder, "absent");
        Assert.Contains(missing, Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(missing)).Message);
    }

    [Fact]
    public void AMissingTokenizerIsNamed() =>
        Assert.Contains("tokenizer.json", Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(_folder)).Message);

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "the file must be an object")]
    [InlineData("{}", "model must be an object")]
    [InlineData("{\"model\":{\"type\":\"Unigram\"}}", "model type Unigram is not supported; supported: BPE")]
    [InlineData("{\"model\":{\"type\":\"BPE\"}}", "model.vocab must be an object")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{}}}", "at least one token")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1}}}", "model.vocab[\"a\"] must be a whole number")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":2000000000}}}", "model.vocab[\"a\"] must be a whole number")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0}}}", "id 0 must be one token's")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\\ud800\":0}}}", "not Unicode")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":16777215}}}", "the highest token id must be below 65540, as there are 1 tokens; it is 16777215")]
    public void ADamagedFileIsRefused(string json, string reason) => Assert.Contains(reason, Refused(json).Reason);

    [Theory]
    [InlineData("model.dropout", "0.1", "model.dropout is not supported")]
    [InlineData("model.byte_fallback", "true", "model.byte_fallback is not supported")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "model.end_of_word_suffix is not supported")]
    [InlineData("model.unk_token", "\"<unk>\"", "model.unk_token must be a token of model.vocab")]
    [InlineData("model.ignore_merges", "1", "model.ignore_merges must be true or false")]
    [InlineData("model.merges", "[\"a b c\"]", "model.merges[0] must be two tokens")]
    [InlineData("model.merges", "[[\"a\",\"never\"]]", "model.merges[0] must be a pair of tokens of model.vocab")]
    [InlineData("model.merges", "[\"! !\",\"A Z\"]", "whose joined text is in model.vocab")]
    [InlineData("normalizer", "{\"type\":\"NFKC\"}", "normalizer NFKC is not supported; supported: null, NFC, Sequence")]
    [InlineData("normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Lowercase\"}]}", "normalizer.normalizers[1] Lowercase is not supported")]
    [InlineData("pre_tokenizer", "null", "pre_tokenizer must be an object")]
    [InlineData("pre_tokenizer", "{\"type\":\"Metaspace\"}", "pre_tokenizer Metaspace is not supported; supported: ByteLevel")]
    [InlineData("pre_tokenizer", "{\"type\":\"Digits\"}", "pre_tokenizer without ByteLevel is not supported")]
    [InlineData("pre_tokenizer", "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"},{\"type\":\"Digits\"}]}", "pre_tokenizer.pretokenizers[1] Digits after ByteLevel")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x+\"},\"behavior\":\"Isolated\",\"invert\":false}", "pre_tokenizer.pattern x+ is not supported")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"Isolated\"}", "pre_tokenizer.pattern.Regex must be a string")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x\"},\"behavior\":\"MergedWithNext\"}", "pre_tokenizer.behavior MergedWithNext")]
    [InlineData("post_processor", "{\"type\":\"BertProcessing\"}", "post_processor BertProcessing is not supported")]
    [InlineData("post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[],\"special_tokens\":{}}", "the sequence A once")]
    [InlineData("post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\"}},{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"x\":{\"ids\":[99999]}}}", "ids of the vocabulary")]
    [InlineData("decoder", "{\"type\":\"WordPiece\"}", "decoder WordPiece is not supported; supported: ByteLevel")]
    [InlineData("decoder", "null", "decoder must be an object")]
    [InlineData("added_tokens", "[{\"id\":1,\"content\":\"\"}]", "added_tokens[0].content must be a text that is not empty")]
    [InlineData("added_tokens", "[{\"content\":\"<x>\"}]", "added_tokens[0].id must be a whole number")]
    [InlineData("added_tokens", "[{\"id\":1,\"content\":\"<x>\",\"lstrip\":\"yes\"}]", "added_tokens[0].lstrip must be true or false")]
    [InlineData("added_tokens", "[{\"id\":700,\"content\":\"a\"}]", "the same id as \"a\" has in model.vocab")]
    [InlineData("added_tokens", "[{\"id\":1,\"content\":\"<x>\"}]", "id 1 must be one token's")]
    public void AnUnsupportedOrWrongComponentIsNamed(string place, string json, string reason)
    {
        JsonNode root = Gpt2();
        string[] names = place.Split('.');
        JsonNode parent = names.Length == 1 ? root : root[names[0]]!;
        parent[names[^1]] = JsonNode.Parse(json);

        Assert.Contains(reason, Refused(root.ToJsonString()).Reason);
    }

    [Fact]
    public void EndOfTextGathersAllFilesAndBeginOfTextTheFirst()
    {
        Write("tokenizer.json", File.ReadAllText(Path.Combine(GoldenTokenizers.Folder("llama3"), "tokenizer.json")));
        Write("tokenizer_config.json", "{\"bos_token\":{\"content\":\"<|begin_of_text|>\"},\"eos_token\":\"<|eot_id|>\"}");
        Write("generation_config.json", "{\"eos_token_id\":[5,6],\"bos_token_id\":7}");
        Write("config.json", "{\"eos_token_id\":6}");

        Tokenizer tokenizer = Tokenizer.Load(_folder);

        Assert.Equal([Assert.Single(tokenizer.Encode("<|eot_id|>", addSpecial: false)), 5, 6], tokenizer.EndOfText);
        Assert.Equal("<|begin_of_text|>", tokenizer.TokenText(tokenizer.BeginOfText!.Value));
    }

    [Theory]
    [InlineData("tokenizer_config.json", "{\"eos_token\":\"<absent>\"}", "eos_token must be a token of tokenizer.json")]
    [InlineData("tokenizer_config.json", "{\"eos_token\":5}", "eos_token must be a string")]
    [InlineData("generation_config.json", "{\"eos_token_id\":\"5\"}", "eos_token_id must be a whole number")]
    [InlineData("config.json", "nonsense", "not valid JSON")]
    public void ADamagedNeighbourIsRefused(string name, string json, string reason)
    {
        Write("tokenizer.json", Gpt2().ToJsonString());
        string path = Write(name, json);
        TokenizerFormatException e = Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(_folder));
        Assert.Equal(path, e.Path);
        Assert.Contains(reason, e.Reason);
    }

    [Fact]
    public void AMissingByteBecomesTheUnknownTokenOrNothing()
    {
        JsonNode root = Gpt2();
        JsonObject vocabulary = root["model"]!["vocab"]!.AsObject();
        vocabulary.Remove("q");
        root["model"]!["merges"] = new JsonArray();
        Write("tokenizer.json", root.ToJsonString());
        Tokenizer dropping = Tokenizer.Load(_folder);
        Assert.Equal([(byte)'q'], dropping.MissingBytes);
        Assert.Equal("ab", dropping.Decode(dropping.Encode("aqb")));

        root["model"]!["unk_token"] = "?";
        Write("tokenizer.json", root.ToJsonString());
        Tokenizer replacing = Tokenizer.Load(_folder);
        Assert.Equal("a??b", replacing.Decode(replacing.Encode("aqqb")));

        root["model"]!["fuse_unk"] = true;
        Write("tokenizer.json", root.ToJsonString());
        Tokenizer fusing = Tokenizer.Load(_folder);
        Assert.Equal("a?b", fusing.Decode(fusing.Encode("aqqb")));
    }
}
