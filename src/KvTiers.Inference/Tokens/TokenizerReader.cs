using System.Text.Json;
using KvTiers.Inference.Model.Gguf;

namespace KvTiers.Inference.Tokens;

/// <summary>Reads the tokenizer files of a Hugging Face folder.</summary>
/// <remarks>
/// Supported: model <c>BPE</c> over bytes; normalizers none, <c>NFC</c>; pre-tokenizers <c>ByteLevel</c>, <c>Digits</c> and <c>Split</c> with the patterns of
/// GPT-2, Llama 3 and Qwen 2; post-processors <c>ByteLevel</c>, <c>TemplateProcessing</c>; decoder <c>ByteLevel</c>; each also in a <c>Sequence</c>.
/// </remarks>
internal static class TokenizerReader
{
    // Ids that a small vocabulary may leave out.
    private const int MostGaps = 65_536;

    private const string PatternNames = "Split with the pattern of GPT-2, Llama 3 or Qwen 2";

    public static TokenizerParts Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (GgufFile.IsNamedSo(folder))
            return GgufTokenizerReader.Read(folder);
        if (!Directory.Exists(folder))
            throw new TokenizerFormatException(folder, "the folder does not exist");
        string path = Path.Combine(folder, "tokenizer.json");
        JsonFile file = JsonFile.ReadIfExists(path)
            ?? throw new TokenizerFormatException(path, "the file does not exist; a model folder needs a Hugging Face tokenizer.json");
        try
        {
            return Read(folder, file);
        }
        catch (InvalidOperationException e)
        {
            throw new TokenizerFormatException(path, $"holds a text that is not Unicode: {e.Message}", e);
        }
    }

    private static TokenizerParts Read(string folder, JsonFile file)
    {
        JsonElement model = file.Object(file.Root, "", "model");
        CheckModel(file, model);
        Dictionary<string, int> vocabulary = ReadVocabulary(file, model);
        List<AddedToken> added = ReadAddedTokens(file, vocabulary);
        string?[] texts = Texts(file, vocabulary, added);
        byte[][] bytes = [.. texts.Select(text => text is null ? [] : ByteAlphabet.BytesOf(text))];
        bool[] special = new bool[texts.Length];
        foreach (AddedToken token in added)
        {
            bytes[token.Id] = System.Text.Encoding.UTF8.GetBytes(token.Content);
            special[token.Id] = token.Special;
        }

        int[] idOfByte = IdsOfBytes(vocabulary);
        var stages = new List<PreTokenizerStage>();
        ReadPreTokenizer(file, file.Object(file.Root, "", "pre_tokenizer"), "pre_tokenizer", stages, byteLevelSeen: false);
        CheckDecoder(file, file.Object(file.Root, "", "decoder"), "decoder");
        var prefix = new List<int>();
        var suffix = new List<int>();
        if (JsonFile.Member(file.Root, "post_processor") is { } processor)
            ReadPostProcessor(file, processor, "post_processor", texts.Length, prefix, suffix);
        (int? beginOfText, IReadOnlyList<int> endOfText) = ReadBoundaries(folder, texts);

        return new TokenizerParts
        {
            Texts = texts,
            Bytes = bytes,
            Special = special,
            Model = new BytePairModel(
                idOfByte,
                ReadMerges(file, model, vocabulary),
                file.Flag(model, "model", "ignore_merges", false) ? vocabulary : null,
                UnknownId(file, model, vocabulary),
                file.Flag(model, "model", "fuse_unk", false)),
            AddedTokens = added,
            Stages = stages,
            ComposeCanonically = JsonFile.Member(file.Root, "normalizer") is { } normalizer && ReadNormalizer(file, normalizer, "normalizer"),
            Prefix = prefix,
            Suffix = suffix,
            MissingBytes = [.. Enumerable.Range(0, 256).Where(value => idOfByte[value] < 0 && OccursInUtf8(value)).Select(value => (byte)value)],
            BeginOfText = beginOfText,
            EndOfText = endOfText,
        };
    }

    private static void CheckModel(JsonFile file, JsonElement model)
    {
        // Files of early versions leave the type out.
        string type = file.OptionalString(model, "model", "type") ?? "BPE";
        if (type != "BPE")
            throw file.Unsupported($"model type {type}", "BPE");
        if (JsonFile.Member(model, "dropout") is { } dropout && (dropout.ValueKind != JsonValueKind.Number || dropout.GetDouble() != 0))
            throw file.Unsupported("model.dropout", "none: the same text always gives the same ids");
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (!string.IsNullOrEmpty(file.OptionalString(model, "model", affix)))
                throw file.Unsupported($"model.{affix}", "none, as in byte-level BPE");
        }

        if (file.Flag(model, "model", "byte_fallback", false))
            throw file.Unsupported("model.byte_fallback", "byte-level BPE, which needs no fallback");
    }

    private static Dictionary<string, int> ReadVocabulary(JsonFile file, JsonElement model)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (JsonProperty entry in file.Object(model, "model", "vocab").EnumerateObject())
            vocabulary[entry.Name] = file.Id(entry.Value, $"model.vocab[\"{entry.Name}\"]");
        return vocabulary.Count > 0 ? vocabulary : throw file.Fail("model.vocab", "an object with at least one token");
    }

    private static Dictionary<long, BytePairModel.Merge> ReadMerges(JsonFile file, JsonElement model, Dictionary<string, int> vocabulary)
    {
        JsonElement list = file.Array(model, "model", "merges");
        var merges = new Dictionary<long, BytePairModel.Merge>(list.GetArrayLength());
        int rank = 0;
        foreach (JsonElement entry in list.EnumerateArray())
        {
            string place = $"model.merges[{rank}]";
            (string left, string right) = ReadMerge(file, entry, place);
            if (!vocabulary.TryGetValue(left, out int leftId) || !vocabulary.TryGetValue(right, out int rightId))
                throw file.Fail(place, "a pair of tokens of model.vocab");
            if (!vocabulary.TryGetValue(left + right, out int id))
                throw file.Fail(place, $"a pair whose joined text is in model.vocab; \"{left}{right}\" is not");
            merges[BytePairModel.PairKey(leftId, rightId)] = new BytePairModel.Merge(rank++, id);
        }

        return merges;
    }

    private static (string Left, string Right) ReadMerge(JsonFile file, JsonElement entry, string place)
    {
        string[] parts = entry.ValueKind switch
        {
            JsonValueKind.String => file.Text(entry, place).Split(' '),
            JsonValueKind.Array => [.. entry.EnumerateArray().Select(part => part.ValueKind == JsonValueKind.String ? file.Text(part, place) : "")],
            _ => [],
        };
        return parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0
            ? (parts[0], parts[1])
            : throw file.Fail(place, "two tokens: a string with one space between them, or an array of two strings");
    }

    private static List<AddedToken> ReadAddedTokens(JsonFile file, Dictionary<string, int> vocabulary)
    {
        var tokens = new List<AddedToken>();
        if (JsonFile.Member(file.Root, "added_tokens") is null)
            return tokens;
        foreach (JsonElement entry in file.Array(file.Root, "", "added_tokens").EnumerateArray())
        {
            string place = $"added_tokens[{tokens.Count}]";
            JsonElement idValue = JsonFile.Member(entry, "id") ?? throw file.Fail($"{place}.id", "a whole number");
            string content = file.String(entry, place, "content");
            if (content.Length == 0)
                throw file.Fail($"{place}.content", "a text that is not empty");
            bool special = file.Flag(entry, place, "special", false);
            var token = new AddedToken(
                file.Id(idValue, $"{place}.id"),
                content,
                special,
                file.Flag(entry, place, "single_word", false),
                file.Flag(entry, place, "lstrip", false),
                file.Flag(entry, place, "rstrip", false),
                file.Flag(entry, place, "normalized", !special));
            if (vocabulary.TryGetValue(content, out int modelId) && modelId != token.Id)
                throw file.Fail(place, $"the same id as \"{content}\" has in model.vocab: {modelId}, not {token.Id}");
            tokens.Add(token);
        }

        return tokens;
    }

    private static string?[] Texts(JsonFile file, Dictionary<string, int> vocabulary, List<AddedToken> added)
    {
        // Each id takes room, whether it has a token or not.
        int highest = Math.Max(vocabulary.Values.Max(), added.Count > 0 ? added.Max(token => token.Id) : 0);
        long most = (4L * (vocabulary.Count + added.Count)) + MostGaps;
        if (highest >= most)
            throw file.Fail("the highest token id", $"below {most}, as there are {vocabulary.Count + added.Count} tokens; it is {highest}");
        string?[] texts = new string?[highest + 1];
        foreach ((string text, int id) in vocabulary.Concat(added.Select(token => KeyValuePair.Create(token.Content, token.Id))))
        {
            if (texts[id] is { } other && other != text)
                throw new TokenizerFormatException(file.Path, $"id {id} must be one token's; it is \"{other}\"'s and \"{text}\"'s");
            texts[id] = text;
        }

        return texts;
    }

    private static int[] IdsOfBytes(Dictionary<string, int> vocabulary)
    {
        int[] ids = new int[256];
        for (int value = 0; value < ids.Length; value++)
            ids[value] = vocabulary.TryGetValue(ByteAlphabet.CharacterOf((byte)value).ToString(), out int id) ? id : -1;
        return ids;
    }

    /// <summary>The byte is in some text of valid UTF-8.</summary>
    public static bool OccursInUtf8(int value) => value is < 0xC0 or (> 0xC1 and < 0xF5);

    private static int? UnknownId(JsonFile file, JsonElement model, Dictionary<string, int> vocabulary)
    {
        string? token = file.OptionalString(model, "model", "unk_token");
        if (token is null)
            return null;
        return vocabulary.TryGetValue(token, out int id) ? id : throw file.Fail("model.unk_token", "a token of model.vocab");
    }

    private static bool ReadNormalizer(JsonFile file, JsonElement normalizer, string place)
    {
        string type = file.String(normalizer, place, "type");
        return type switch
        {
            "NFC" => true,
            "Sequence" => file.Array(normalizer, place, "normalizers").EnumerateArray()
                .Select((part, i) => ReadNormalizer(file, part, $"{place}.normalizers[{i}]")).ToArray().Contains(true),
            _ => throw file.Unsupported($"{place} {type}", "null, NFC, Sequence"),
        };
    }

    // Returns whether ByteLevel has been met: it comes last, because after it a text is in the byte alphabet.
    private static bool ReadPreTokenizer(JsonFile file, JsonElement component, string place, List<PreTokenizerStage> stages, bool byteLevelSeen)
    {
        bool top = place == "pre_tokenizer";
        string type = file.String(component, place, "type");
        if (byteLevelSeen)
            throw file.Unsupported($"{place} {type} after ByteLevel", "ByteLevel as the last pre-tokenizer");
        switch (type)
        {
            case "Sequence":
                int index = 0;
                foreach (JsonElement part in file.Array(component, place, "pretokenizers").EnumerateArray())
                    byteLevelSeen = ReadPreTokenizer(file, part, $"{place}.pretokenizers[{index++}]", stages, byteLevelSeen);
                break;
            case "ByteLevel":
                bool useRegex = file.Flag(component, place, "use_regex", true);
                stages.Add(new PreTokenizerStage(file.Flag(component, place, "add_prefix_space", true), useRegex ? new Gpt2Scanner() : null));
                byteLevelSeen = true;
                break;
            case "Digits":
                stages.Add(new PreTokenizerStage(false, new DigitsScanner(file.Flag(component, place, "individual_digits", false))));
                break;
            case "Split":
                stages.Add(new PreTokenizerStage(false, ReadSplit(file, component, place)));
                break;
            default:
                throw file.Unsupported($"{place} {type}", $"ByteLevel, Digits, {PatternNames}, Sequence");
        }

        if (top && !byteLevelSeen)
            throw file.Unsupported($"{place} without ByteLevel", "ByteLevel as the last pre-tokenizer");
        return byteLevelSeen;
    }

    private static PieceScanner ReadSplit(JsonFile file, JsonElement component, string place)
    {
        string pattern = file.String(file.Object(component, place, "pattern"), $"{place}.pattern", "Regex");
        string behavior = file.String(component, place, "behavior");
        bool invert = file.Flag(component, place, "invert", false);
        // Each of the patterns matches every character, so that to keep the matches alone is to isolate them.
        if (!(behavior == "Isolated" && !invert) && !(behavior == "Removed" && invert))
            throw file.Unsupported($"{place}.behavior {behavior} with invert {invert}", "Isolated, or Removed with invert true");
        return pattern switch
        {
            Gpt2Scanner.Pattern => new Gpt2Scanner(),
            Llama3Scanner.Llama3Pattern => new Llama3Scanner(digits: 3),
            Llama3Scanner.Qwen2Pattern => new Llama3Scanner(digits: 1),
            _ => throw file.Unsupported($"{place}.pattern {pattern}", $"{PatternNames}: {Gpt2Scanner.Pattern}  {Llama3Scanner.Llama3Pattern}  {Llama3Scanner.Qwen2Pattern}"),
        };
    }

    private static void CheckDecoder(JsonFile file, JsonElement decoder, string place)
    {
        string type = file.String(decoder, place, "type");
        if (type == "Sequence")
        {
            JsonElement parts = file.Array(decoder, place, "decoders");
            if (parts.GetArrayLength() != 1)
                throw file.Unsupported($"{place} Sequence of {parts.GetArrayLength()} decoders", "ByteLevel");
            CheckDecoder(file, parts[0], $"{place}.decoders[0]");
        }
        else if (type != "ByteLevel")
        {
            throw file.Unsupported($"{place} {type}", "ByteLevel");
        }
    }

    private static void ReadPostProcessor(JsonFile file, JsonElement processor, string place, int vocabularySize, List<int> prefix, List<int> suffix)
    {
        string type = file.String(processor, place, "type");
        switch (type)
        {
            case "ByteLevel":
                break;
            case "Sequence":
                int index = 0;
                foreach (JsonElement part in file.Array(processor, place, "processors").EnumerateArray())
                    ReadPostProcessor(file, part, $"{place}.processors[{index++}]", vocabularySize, prefix, suffix);
                break;
            case "TemplateProcessing":
                ReadTemplate(file, processor, place, vocabularySize, prefix, suffix);
                break;
            default:
                throw file.Unsupported($"{place} {type}", "null, ByteLevel, TemplateProcessing, Sequence");
        }
    }

    private static void ReadTemplate(JsonFile file, JsonElement processor, string place, int vocabularySize, List<int> prefix, List<int> suffix)
    {
        var before = new List<int>();
        var after = new List<int>();
        bool sequenceSeen = false;
        JsonElement tokens = file.Object(processor, place, "special_tokens");
        foreach (JsonElement item in file.Array(processor, place, "single").EnumerateArray())
        {
            if (JsonFile.Member(item, "Sequence") is { } sequence)
            {
                if (sequenceSeen || file.String(sequence, $"{place}.single.Sequence", "id") != "A")
                    throw file.Fail($"{place}.single", "a template with the sequence A once");
                sequenceSeen = true;
                continue;
            }

            string name = file.String(file.Object(item, $"{place}.single", "SpecialToken"), $"{place}.single.SpecialToken", "id");
            JsonElement token = file.Object(tokens, $"{place}.special_tokens", name);
            foreach (JsonElement id in file.Array(token, $"{place}.special_tokens.{name}", "ids").EnumerateArray())
            {
                int value = file.Id(id, $"{place}.special_tokens.{name}.ids");
                if (value >= vocabularySize)
                    throw file.Fail($"{place}.special_tokens.{name}.ids", $"ids of the vocabulary, below {vocabularySize}");
                (sequenceSeen ? after : before).Add(value);
            }
        }

        if (!sequenceSeen)
            throw file.Fail($"{place}.single", "a template with the sequence A once");
        prefix.InsertRange(0, before);
        suffix.AddRange(after);
    }

    private static (int? BeginOfText, IReadOnlyList<int> EndOfText) ReadBoundaries(string folder, string?[] texts)
    {
        JsonFile? tokenizer = JsonFile.ReadIfExists(Path.Combine(folder, "tokenizer_config.json"));
        JsonFile? generation = JsonFile.ReadIfExists(Path.Combine(folder, "generation_config.json"));
        JsonFile? config = JsonFile.ReadIfExists(Path.Combine(folder, "config.json"));

        var ends = new List<int>();
        ends.AddRange(NamedToken(tokenizer, "eos_token", texts));
        ends.AddRange(Ids(generation, "eos_token_id"));
        ends.AddRange(Ids(config, "eos_token_id"));
        IEnumerable<int> begins = [.. NamedToken(tokenizer, "bos_token", texts), .. Ids(generation, "bos_token_id"), .. Ids(config, "bos_token_id")];
        int? begin = begins.Cast<int?>().FirstOrDefault();
        return (begin, [.. ends.Distinct()]);
    }

    private static IEnumerable<int> NamedToken(JsonFile? file, string name, string?[] texts)
    {
        if (file is null || SpecialTokenText.Read(file, name) is not { } text)
            return [];
        int id = Array.IndexOf(texts, text);
        return id >= 0 ? [id] : throw file.Fail(name, $"a token of tokenizer.json; \"{text}\" is not");
    }

    private static List<int> Ids(JsonFile? file, string name)
    {
        var ids = new List<int>();
        if (file is null || JsonFile.Member(file.Root, name) is not { } value)
            return ids;
        if (value.ValueKind == JsonValueKind.Array)
            ids.AddRange(value.EnumerateArray().Select(id => file.Id(id, name)));
        else
            ids.Add(file.Id(value, name));
        return ids;
    }
}
