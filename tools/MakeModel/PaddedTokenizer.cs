using System.Text.Json;

namespace KvTiers.MakeModel;

/// <summary>A byte-level BPE tokenizer of any vocabulary size: special tokens, all 256 bytes, then letter strings until it is full.</summary>
/// <remarks>
/// The strings grow letter by letter from a space or a letter (" t", " th", " the", …), each by one merge, so the merges need no training
/// and English text comes out at about three characters a token.
/// </remarks>
internal static class PaddedTokenizer
{
    public const int EndOfText = 0;
    public const int EndOfMessage = 2;
    public static readonly int SmallestVocabulary = Specials.Length + 256;

    private const string Letters = "etaoinshrdlcumwfgypbvkjxqz";
    private const string Space = "\u0120";
    private const string ChatTemplate =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private static string[] Specials => ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    public static void Write(string folder, int vocabulary, int contextLength)
    {
        WriteTokenizer(Path.Combine(folder, "tokenizer.json"), vocabulary);
        WriteConfig(Path.Combine(folder, "tokenizer_config.json"), contextLength);
    }

    private static void WriteTokenizer(string path, int vocabulary)
    {
        List<(string Left, string Right)> merges = Merges(vocabulary - SmallestVocabulary);
        using FileStream file = File.Create(path);
        using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        for (int id = 0; id < Specials.Length; id++)
            WriteAddedToken(json, id);
        json.WriteEndArray();
        json.WriteNull("normalizer");
        WriteByteLevel(json, "pre_tokenizer");
        json.WriteNull("post_processor");
        WriteByteLevel(json, "decoder");

        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", false);
        json.WriteStartObject("vocab");
        int next = 0;
        foreach (string special in Specials)
            json.WriteNumber(special, next++);
        for (int value = 0; value < 256; value++)
            json.WriteNumber(ByteSymbol((byte)value), next++);
        foreach ((string left, string right) in merges)
            json.WriteNumber(left + right, next++);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach ((string left, string right) in merges)
            json.WriteStringValue($"{left} {right}");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteConfig(string path, int contextLength)
    {
        using FileStream file = File.Create(path);
        using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteBoolean("add_prefix_space", false);
        json.WriteString("bos_token", Specials[EndOfText]);
        json.WriteString("eos_token", Specials[EndOfMessage]);
        json.WriteString("pad_token", Specials[EndOfMessage]);
        json.WriteString("chat_template", ChatTemplate);
        json.WriteNumber("model_max_length", contextLength);
        json.WriteString("tokenizer_class", "GPT2Tokenizer");
        json.WriteEndObject();
    }

    private static void WriteAddedToken(Utf8JsonWriter json, int id)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("content", Specials[id]);
        json.WriteBoolean("single_word", false);
        json.WriteBoolean("lstrip", false);
        json.WriteBoolean("rstrip", false);
        json.WriteBoolean("normalized", false);
        json.WriteBoolean("special", true);
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, string property)
    {
        json.WriteStartObject(property);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
    }

    // Breadth first. The space comes first, so that " t" outranks "th" and " th" can form.
    private static List<(string Left, string Right)> Merges(int count)
    {
        var merges = new List<(string Left, string Right)>(count);
        var stems = new Queue<string>([Space, .. Letters.Select(letter => letter.ToString())]);
        while (merges.Count < count)
        {
            string stem = stems.Dequeue();
            foreach (char letter in Letters.Take(count - merges.Count))
            {
                merges.Add((stem, letter.ToString()));
                stems.Enqueue(stem + letter);
            }
        }

        return merges;
    }

    // GPT-2's printable stand-ins for bytes: printable Latin-1 stands for itself, the others for U+0100 and on, in order.
    private static string ByteSymbol(byte value) =>
        IsPrintable(value) ? ((char)value).ToString() : ((char)(256 + Enumerable.Range(0, value).Count(lower => !IsPrintable((byte)lower)))).ToString();

    private static bool IsPrintable(byte value) => value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE;
}
