using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace KvTiers.Inference.Tokens;

/// <summary>
/// A byte-level BPE tokenizer, read from a Hugging Face <c>tokenizer.json</c>. Encoding: added tokens are cut out of the text, the rest is
/// normalized, cut into words by the pre-tokenizer's pattern, and the bytes of each word are merged by rank. Immutable and thread-safe.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly AddedTokenMatcher _verbatim;
    private readonly AddedTokenMatcher _normalized;
    private readonly AddedTokenMatcher _all;
    private readonly string?[] _wholeTexts;

    internal Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _wholeTexts = new string?[parts.Bytes.Length];
        _all = new AddedTokenMatcher(parts.AddedTokens);
        _verbatim = new AddedTokenMatcher(parts.AddedTokens.Where(token => !token.Normalized));
        _normalized = new AddedTokenMatcher(parts.AddedTokens.Where(token => token.Normalized)
            .Select(token => token with { Content = Normalize(token.Content) }));
    }

    /// <summary>
    /// Reads <c>tokenizer.json</c>, and where they exist <c>tokenizer_config.json</c>, <c>generation_config.json</c> and <c>config.json</c>, of a folder; or the
    /// vocabulary of a GGUF file.
    /// </summary>
    /// <param name="folder">The folder, or the file.</param>
    /// <exception cref="TokenizerFormatException">A file is missing or damaged, or asks for a component that is not supported.</exception>
    public static Tokenizer Load(string folder) => new(TokenizerReader.Read(folder));

    /// <summary>One more than the highest id. A model's vocabulary may be padded beyond it.</summary>
    public int VocabularySize => _parts.Texts.Length;

    /// <summary>The id that begins a text, when the folder names one.</summary>
    public int? BeginOfText => _parts.BeginOfText;

    /// <summary>All ids that end a generation.</summary>
    public IReadOnlyList<int> EndOfText => _parts.EndOfText;

    /// <summary>Bytes of valid UTF-8 that no token stands for, ascending: they become the unknown token, or nothing if there is none. Empty for a lossless vocabulary.</summary>
    public IReadOnlyList<byte> MissingBytes => _parts.MissingBytes;

    /// <summary>True for a control token. False for an id without token.</summary>
    public bool IsSpecial(int id) => (uint)id < (uint)_parts.Special.Length && _parts.Special[id];

    /// <summary>The token as <c>tokenizer.json</c> writes it (bytes in the byte alphabet); <c>null</c> for an id without token.</summary>
    public string? TokenText(int id) => (uint)id < (uint)_parts.Texts.Length ? _parts.Texts[id] : null;

    /// <summary>The bytes a token stands for: an added token's are its content in UTF-8. Empty for an id without token.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => (uint)id < (uint)_parts.Bytes.Length ? _parts.Bytes[id] : [];

    /// <summary>The ids of a plain text.</summary>
    /// <param name="text">Any text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="parseSpecial">True: the text of a special token is that token. False: it is text like any other.</param>
    /// <param name="addSpecial">True: with the ids that the post-processor puts around a text, such as a begin of text.</param>
    public int[] Encode(string text, bool parseSpecial = true, bool addSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(8 + (text.Length / 3));
        if (addSpecial)
            ids.AddRange(_parts.Prefix);
        EncodePlain(WellFormed(text), parseSpecial, continues: false, ids);
        if (addSpecial)
            ids.AddRange(_parts.Suffix);
        return [.. ids];
    }

    /// <summary>
    /// The ids of a rendered chat. Special tokens are recognised outside the content ranges only, so no content can inject one. The text is cut
    /// at the message ends, so that the ids of a chat are a prefix of the ids of the longer chat.
    /// </summary>
    /// <exception cref="ArgumentException">A range or message end is outside the text, or they are not ascending.</exception>
    public int[] Encode(RenderedPrompt prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Encode(prompt, new int[prompt.MessageEnds.Count], 0);
    }

    /// <summary>The text of tokens. Bytes that are not UTF-8 come as U+FFFD; an id without token has no text.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecial">True: control tokens are left out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        var bytes = new ArrayBufferWriter<byte>(Math.Max(16, ids.Length * 4));
        foreach (int id in ids)
        {
            if (!skipSpecial || !IsSpecial(id))
                bytes.Write(TokenBytes(id));
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>The text of a token that is whole UTF-8 by itself, the same string each time, so that streaming allocates nothing; null for others.</summary>
    internal string? WholeText(int id)
    {
        // Threads that meet here store equal strings.
        if ((uint)id >= (uint)_wholeTexts.Length)
            return null;
        return _wholeTexts[id] ?? (Utf8.IsValid(TokenBytes(id)) ? _wholeTexts[id] = Encoding.UTF8.GetString(TokenBytes(id)) : null);
    }

    /// <summary>A stream of text for one generation.</summary>
    public TokenStream CreateStream() => new(this);

    /// <param name="prompt">A rendered chat.</param>
    /// <param name="tokenEnds">[messages] Receives the end of each message's ids.</param>
    /// <param name="skip">Leading messages that get no ids.</param>
    internal int[] Encode(RenderedPrompt prompt, Span<int> tokenEnds, int skip)
    {
        CheckRanges(prompt);
        string text = WellFormed(prompt.Text);
        var ids = new List<int>(8 + ((text.Length - (skip > 0 ? prompt.MessageEnds[skip - 1] : 0)) / 3));
        int position = 0;
        bool continues = false;
        int message = 0;
        foreach ((int start, int end, int id) in Cuts(text, prompt))
        {
            if (start > position && message >= skip)
                EncodePlain(text[position..start], parseSpecial: false, continues, ids);
            if (id < 0)
                tokenEnds[message++] = ids.Count;
            else if (message >= skip)
                ids.Add(id);
            continues = id < 0;
            position = Math.Max(position, end);
        }

        if (position < text.Length)
            EncodePlain(text[position..], parseSpecial: false, continues, ids);
        return [.. ids];
    }

    // Where the rendered text is cut: special tokens that stand wholly in the template's own text, and message ends (id −1).
    private List<(int Start, int End, int Id)> Cuts(string text, RenderedPrompt prompt)
    {
        var cuts = new List<(int Start, int End, int Id)>();
        int message = 0;
        int position = 0;
        for (int i = 0; i <= prompt.ContentRanges.Count; i++)
        {
            int templateEnd = i < prompt.ContentRanges.Count ? prompt.ContentRanges[i].Start.Value : text.Length;
            while (message < prompt.MessageEnds.Count && prompt.MessageEnds[message] <= templateEnd)
            {
                AddSpecials(position, prompt.MessageEnds[message]);
                position = Math.Max(position, prompt.MessageEnds[message++]);
                cuts.Add((position, position, -1));
            }

            AddSpecials(position, templateEnd);
            if (i < prompt.ContentRanges.Count)
                position = prompt.ContentRanges[i].End.Value;
            while (message < prompt.MessageEnds.Count && prompt.MessageEnds[message] < position)
                cuts.Add((prompt.MessageEnds[message], prompt.MessageEnds[message++], -1));
        }

        return cuts;

        void AddSpecials(int from, int to)
        {
            int consumed = cuts.Count > 0 ? cuts[^1].End : 0;
            from = Math.Max(from, consumed);
            while (from < to && _all.Next(text, from, to, consumed, parseSpecial: true) is { } match)
            {
                if (match.Token.Special)
                    cuts.Add((match.Start, match.End, match.Token.Id));
                consumed = match.End;
                from = match.End;
            }
        }
    }

    // continues: the text goes on from what was encoded before, so it gets no prefix space.
    private void EncodePlain(string text, bool parseSpecial, bool continues, List<int> ids)
    {
        int position = 0;
        while (!_verbatim.IsEmpty && _verbatim.Next(text, position, text.Length, position, parseSpecial) is { } match)
        {
            EncodeNormalized(text[position..match.Start], parseSpecial, continues && position == 0, ids);
            ids.Add(match.Token.Id);
            position = match.End;
        }

        EncodeNormalized(text[position..], parseSpecial, continues && position == 0, ids);
    }

    private void EncodeNormalized(string text, bool parseSpecial, bool continues, List<int> ids)
    {
        text = Normalize(text);
        int position = 0;
        while (!_normalized.IsEmpty && _normalized.Next(text, position, text.Length, position, parseSpecial) is { } match)
        {
            EncodeWords(text.AsSpan(position, match.Start - position), 0, continues && position == 0, ids);
            ids.Add(match.Token.Id);
            position = match.End;
        }

        EncodeWords(text.AsSpan(position), 0, continues && position == 0, ids);
    }

    private void EncodeWords(ReadOnlySpan<char> piece, int stage, bool continues, List<int> ids)
    {
        if (piece.IsEmpty)
            return;
        if (stage == _parts.Stages.Count)
        {
            _parts.Model.Encode(piece, ids);
            return;
        }

        (bool addPrefixSpace, PieceScanner? scanner) = _parts.Stages[stage];
        if (addPrefixSpace && !continues && piece[0] != ' ')
            piece = string.Concat(" ", piece);
        while (!piece.IsEmpty)
        {
            int length = scanner?.NextLength(piece) ?? piece.Length;
            EncodeWords(piece[..length], stage + 1, continues, ids);
            piece = piece[length..];
            continues = false;
        }
    }

    private string Normalize(string text) => _parts.ComposeCanonically ? CanonicalComposition.Compose(text) : text;

    // Replaces lone surrogates one for one, so that offsets stay.
    private static string WellFormed(string text)
    {
        char[]? repaired = null;
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else
                (repaired ??= text.ToCharArray())[i] = '\uFFFD';
        }

        return repaired is null ? text : new string(repaired);
    }

    private static void CheckRanges(RenderedPrompt prompt)
    {
        int position = 0;
        foreach (Range range in prompt.ContentRanges)
        {
            bool ascending = !range.Start.IsFromEnd && !range.End.IsFromEnd && range.Start.Value >= position && range.End.Value >= range.Start.Value;
            if (!ascending || range.End.Value > prompt.Text.Length)
                throw new ArgumentException($"Content range {range} is not in order, or outside the text of {prompt.Text.Length} characters.", nameof(prompt));
            position = range.End.Value;
        }

        position = 0;
        foreach (int end in prompt.MessageEnds)
        {
            if (end < position || end > prompt.Text.Length)
                throw new ArgumentException($"Message end {end} is not in order, or outside the text of {prompt.Text.Length} characters.", nameof(prompt));
            position = end;
        }
    }
}
