using System.Text;
using KvTiers.Inference.Model;
using KvTiers.Inference.Model.Gguf;

namespace KvTiers.Inference.Tokens;

/// <summary>Reads the vocabulary of a GGUF file.</summary>
/// <remarks>
/// Supported: <c>tokenizer.ggml.model</c> <c>gpt2</c>, which is BPE over bytes, with the pre-tokenizers of <see cref="PreTokenizers"/>. Control tokens are special;
/// tokens that a user defined are matched as a whole and are text.
/// </remarks>
internal static class GgufTokenizerReader
{
    private const string Prefix = "tokenizer.ggml.";
    private const int ControlToken = 3;
    private const int UserDefinedToken = 4;
    private const int UnusedToken = 5;

    // Each pre-tokenizer's name in such files, and what it does elsewhere.
    private static readonly Dictionary<string, PreTokenizer> PreTokenizers = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = new([new Gpt2Scanner()]),
        ["smollm"] = new([new DigitsScanner(individually: true), new Gpt2Scanner()]),
        ["llama-bpe"] = new([new Llama3Scanner(digits: 3)], IgnoresMerges: true, BeginsText: true),
        ["llama-v3"] = new([new Llama3Scanner(digits: 3)], IgnoresMerges: true, BeginsText: true),
        ["llama3"] = new([new Llama3Scanner(digits: 3)], IgnoresMerges: true, BeginsText: true),
        ["qwen2"] = new([new Llama3Scanner(digits: 1)], Composes: true),
    };

    // Tokens with which models end an answer, beside the end of text that a file names.
    private static readonly string[] AnswerEnds = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>"];

    /// <summary>Reads it.</summary>
    /// <exception cref="TokenizerFormatException">It is missing, damaged, or asks for what is not supported.</exception>
    public static TokenizerParts Read(string path)
    {
        try
        {
            using GgufFile file = new(path);
            return Read(file);
        }
        catch (ModelFormatException exception)
        {
            throw new TokenizerFormatException(path, exception.Subject is null ? exception.Rule : $"{exception.Subject}: {exception.Rule}", exception);
        }
    }

    /// <summary>A token that the file names by its id, as text; null where it names none.</summary>
    /// <exception cref="ModelFormatException">The id is outside the vocabulary.</exception>
    public static string? NamedToken(GgufFile file, string name) =>
        NamedId(file, name) is int id ? file.Require(Prefix + "tokens").Texts()[id] : null;

    private static TokenizerParts Read(GgufFile file)
    {
        GgufValue model = file.Require(Prefix + "model");
        if (model.Text() != "gpt2")
            throw model.Fault($"is {model.Text()}, which is not supported; supported is gpt2, byte-level BPE.");
        GgufValue named = file.Require(Prefix + "pre");
        if (!PreTokenizers.TryGetValue(named.Text(), out PreTokenizer? pre))
            throw named.Fault($"is {named.Text()}, which is not supported; supported are {string.Join(", ", PreTokenizers.Keys)}.");
        string[] texts = file.Require(Prefix + "tokens").Texts();
        int[] types = file.Find(Prefix + "token_type")?.Ints() ?? [.. Enumerable.Repeat(1, texts.Length)];
        if (types.Length != texts.Length || texts.Length == 0)
            throw file.Require(Prefix + "tokens").Fault($"has {texts.Length} tokens, and token_type {types.Length} types: there must be as many, and at least one.");

        List<AddedToken> added = [];
        Dictionary<string, int> vocabulary = new(StringComparer.Ordinal);
        bool[] special = new bool[texts.Length];
        byte[][] bytes = new byte[texts.Length][];
        for (int id = 0; id < texts.Length; id++)
        {
            special[id] = types[id] == ControlToken;
            bool isWhole = special[id] || types[id] == UserDefinedToken;
            bytes[id] = isWhole ? Encoding.UTF8.GetBytes(texts[id]) : ByteAlphabet.BytesOf(texts[id]);
            if (isWhole && texts[id].Length > 0)
                added.Add(new AddedToken(id, texts[id], special[id], SingleWord: false, LeftStrip: false, RightStrip: false, Normalized: false));
            else if (types[id] != UnusedToken && !vocabulary.TryAdd(texts[id], id))
                throw file.Require(Prefix + "tokens").Fault($"has \"{texts[id]}\" twice, at {vocabulary[texts[id]]} and {id}.");
        }

        int[] idOfByte = [.. Enumerable.Range(0, 256).Select(value => vocabulary.GetValueOrDefault(ByteAlphabet.CharacterOf((byte)value).ToString(), -1))];
        int? begin = NamedId(file, "bos");
        bool beginsText = file.Find(Prefix + "add_bos_token")?.Flag() ?? pre.BeginsText;
        if (beginsText && begin is null)
            throw new ModelFormatException(file.Path, Prefix + "bos_token_id", "is required where texts begin with it.");
        bool endsText = file.Find(Prefix + "add_eos_token")?.Flag() ?? false;
        int? end = NamedId(file, "eos");
        if (endsText && end is null)
            throw new ModelFormatException(file.Path, Prefix + "eos_token_id", "is required where texts end with it.");
        IEnumerable<int> ends = new[] { end, NamedId(file, "eot"), NamedId(file, "eom") }.OfType<int>()
            .Concat(added.Where(token => token.Special && AnswerEnds.Contains(token.Content)).Select(token => token.Id));
        return new TokenizerParts
        {
            Texts = texts,
            Bytes = bytes,
            Special = special,
            Model = new BytePairModel(idOfByte, ReadMerges(file, vocabulary), pre.IgnoresMerges ? vocabulary : null, NamedId(file, "unknown"), fuseUnknown: false),
            AddedTokens = added,
            Stages = [.. pre.Scanners.Select(scanner => new PreTokenizerStage(AddPrefixSpace: false, scanner))],
            ComposeCanonically = pre.Composes,
            Prefix = beginsText ? [begin!.Value] : [],
            Suffix = endsText ? [end!.Value] : [],
            MissingBytes = [.. Enumerable.Range(0, 256).Where(value => idOfByte[value] < 0 && TokenizerReader.OccursInUtf8(value)).Select(value => (byte)value)],
            BeginOfText = begin,
            EndOfText = [.. ends.Distinct()],
        };
    }

    private static Dictionary<long, BytePairModel.Merge> ReadMerges(GgufFile file, Dictionary<string, int> vocabulary)
    {
        GgufValue list = file.Require(Prefix + "merges");
        string[] lines = list.Texts();
        var merges = new Dictionary<long, BytePairModel.Merge>(lines.Length);
        for (int rank = 0; rank < lines.Length; rank++)
        {
            string[] pair = lines[rank].Split(' ');
            if (pair.Length != 2 || !vocabulary.TryGetValue(pair[0], out int left) || !vocabulary.TryGetValue(pair[1], out int right)
                || !vocabulary.TryGetValue(pair[0] + pair[1], out int id))
                throw list.Fault($"has \"{lines[rank]}\" at {rank}, which must be two tokens with one space between them whose joined text is a token.");
            merges[BytePairModel.PairKey(left, right)] = new BytePairModel.Merge(rank, id);
        }
        return merges;
    }

    private static int? NamedId(GgufFile file, string name) =>
        file.Find($"{Prefix}{name}_token_id")?.Int(0, file.Require(Prefix + "tokens").Texts().Length - 1);

    /// <summary>How a text is cut before it is encoded.</summary>
    /// <param name="Scanners">One after the other.</param>
    /// <param name="IgnoresMerges">A word that is a token is taken without merging.</param>
    /// <param name="Composes">Texts are brought into normalization form C before.</param>
    /// <param name="BeginsText">Texts begin with the token for it, unless the file says otherwise.</param>
    private sealed record PreTokenizer(IReadOnlyList<PieceScanner> Scanners, bool IgnoresMerges = false, bool Composes = false, bool BeginsText = false);
}
