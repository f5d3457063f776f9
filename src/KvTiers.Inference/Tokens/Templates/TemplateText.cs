namespace KvTiers.Inference.Tokens.Templates;

/// <summary>A string that knows which of its characters came from a message's content. Immutable.</summary>
/// <remarks>
/// Every operation of a template keeps that knowledge: exactly where characters are copied, and by taking the whole result as content where they
/// are rewritten.
/// </remarks>
internal sealed class TemplateText
{
    /// <summary>What a builder of texts takes before it has any, rounded up.</summary>
    public const int BuilderBytes = 192;

    /// <summary>Longest text that a template may make, in UTF-16 units.</summary>
    public const int MaxLength = 1 << 26;

    public static readonly TemplateText Empty = new("", []);

    private readonly (int Start, int End)[] _content;

    internal TemplateText(string value, (int Start, int End)[] content)
    {
        Value = value;
        _content = content;
    }

    public string Value { get; }

    public int Length => Value.Length;

    /// <summary>Ranges of content: ascending, disjoint, not empty.</summary>
    public ReadOnlySpan<(int Start, int End)> Content => _content;

    /// <summary>True when a character is content.</summary>
    public bool HasContent => _content.Length > 0;

    /// <summary>Text of the template itself.</summary>
    public static TemplateText Plain(string value) => new(value, []);

    /// <summary>Text of which every character counts as content, when <paramref name="content"/> holds.</summary>
    public static TemplateText Of(string value, bool content) => new(value, content && value.Length > 0 ? [(0, value.Length)] : []);

    public static TemplateText Join(IEnumerable<TemplateText> parts, TemplateBudget budget)
    {
        budget.Take(BuilderBytes);
        var builder = new TemplateTextBuilder(budget);
        foreach (TemplateText part in parts)
            builder.Append(part);
        return builder.ToText();
    }

    /// <exception cref="TemplateException">The text would be longer than <see cref="MaxLength"/>, or the budget is used up.</exception>
    public static TemplateText Concat(TemplateText first, TemplateText second, TemplateBudget budget)
    {
        if (second.Length == 0)
            return first;
        if (first.Length == 0)
            return second;
        if (second.Length > MaxLength - first.Length)
            throw TooLong();
        budget.MakeText(first.Length + second.Length, first._content.Length + second._content.Length);
        string value = first.Value + second.Value;
        if (second._content.Length == 0)
            return new TemplateText(value, first._content);
        bool touch = first._content.Length > 0 && first._content[^1].End == first.Length && second._content[0].Start == 0;
        var content = new (int Start, int End)[first._content.Length + second._content.Length - (touch ? 1 : 0)];
        int count = first._content.Length - (touch ? 1 : 0);
        first._content.AsSpan(0, count).CopyTo(content);
        foreach ((int start, int end) in second._content)
            content[count++] = (first.Length + start, first.Length + end);
        if (touch)
            content[first._content.Length - 1].Start = first._content[^1].Start;
        return new TemplateText(value, content);
    }

    internal static TemplateException TooLong() => new(0, $"makes a text of more than {MaxLength} characters");

    public TemplateText Slice(int start, int end, TemplateBudget budget)
    {
        if (start >= end)
            return Empty;
        if (start == 0 && end == Length)
            return this;
        int first = RangesEndedAt(start);
        int last = first;
        while (last < _content.Length && _content[last].Start < end)
            last++;
        budget.MakeText(end - start, last - first);
        var content = new (int Start, int End)[last - first];
        for (int i = first; i < last; i++)
            content[i - first] = (Math.Max(_content[i].Start, start) - start, Math.Min(_content[i].End, end) - start);
        return new TemplateText(Value[start..end], content);
    }

    /// <summary>The same characters, one for one, rewritten.</summary>
    public TemplateText Map(Func<string, string> rewrite, TemplateBudget budget)
    {
        // Two copies: some rewrite in two parts.
        budget.MakeText(Length, _content.Length);
        budget.MakeText(Length, 0);
        budget.Scan(Length);
        string value = rewrite(Value);
        return value.Length == Length ? new TemplateText(value, _content) : Of(value, HasContent);
    }

    /// <summary>Without the characters at its ends that are in a set; <c>null</c>: white space as Python knows it.</summary>
    public TemplateText Strip(string? characters, bool left, bool right, TemplateBudget budget)
    {
        HashSet<char>? stripped = null;
        if (characters is not null)
        {
            budget.Scan(16L * characters.Length);
            budget.Take(64L * Math.Min(characters.Length, char.MaxValue + 1));
            stripped = [.. characters];
        }

        int start = 0;
        int end = Length;
        while (left && start < end && IsStripped(Value[start]))
            start++;
        while (right && end > start && IsStripped(Value[end - 1]))
            end--;
        budget.Scan((stripped is null ? 1 : 8L) * (Length - (end - start)));
        return Slice(start, end, budget);

        bool IsStripped(char c) => stripped?.Contains(c) ?? IsSpace(c);
    }

    public TemplateText Replace(string old, TemplateText replacement, int most, TemplateBudget budget)
    {
        if (old.Length == 0)
            return this;
        budget.Take(BuilderBytes);
        var builder = new TemplateTextBuilder(budget);
        var search = new TemplateSearch(old, budget);
        int position = 0;
        for (int found; most-- > 0 && (found = search.IndexIn(Value, position)) >= 0; position = found + old.Length)
        {
            builder.Append(Slice(position, found, budget));
            builder.Append(replacement);
        }

        builder.Append(Slice(position, Length, budget));
        return builder.ToText();
    }

    /// <summary>Parts between separators; <c>null</c>: between runs of white space, without empty parts.</summary>
    /// <param name="separator">What separates; not empty.</param>
    /// <param name="most">Most cuts.</param>
    /// <param name="budget">What it takes is charged to.</param>
    public List<object?> Split(string? separator, int most, TemplateBudget budget)
    {
        var parts = new List<object?>();
        int position = 0;
        if (separator is not null)
        {
            var search = new TemplateSearch(separator, budget);
            for (int found; most-- > 0 && (found = search.IndexIn(Value, position)) >= 0; position = found + separator.Length)
                Add(position, found);
            Add(position, Length);
            return parts;
        }

        budget.Scan(Length);
        while (true)
        {
            while (position < Length && IsSpace(Value[position]))
                position++;
            if (position == Length)
                return parts;
            int end = position;
            while (end < Length && !IsSpace(Value[end]))
                end++;
            if (most-- <= 0)
                end = Strip(null, left: false, right: true, budget).Length;
            Add(position, end);
            position = end;
        }

        void Add(int start, int end)
        {
            budget.Grow();
            parts.Add(Slice(start, end, budget));
        }
    }

    /// <summary>Number of code points, which is what a template counts.</summary>
    public int CountCodePoints(TemplateBudget budget)
    {
        budget.Scan(Length);
        int count = 0;
        for (int i = 0; i < Length; i++)
            count += i > 0 && char.IsSurrogatePair(Value[i - 1], Value[i]) ? 0 : 1;
        return count;
    }

    /// <summary>UTF-16 offset of a code point.</summary>
    public int OffsetOf(long codePoint, TemplateBudget budget)
    {
        budget.Scan(Math.Min(codePoint, Length));
        int offset = 0;
        for (; codePoint > 0 && offset < Length; codePoint--)
            offset += offset + 1 < Length && char.IsSurrogatePair(Value[offset], Value[offset + 1]) ? 2 : 1;
        return offset;
    }

    /// <summary>Each code point as a text.</summary>
    public IEnumerable<TemplateText> CodePoints(TemplateBudget budget)
    {
        for (int i = 0; i < Length;)
        {
            int width = i + 1 < Length && char.IsSurrogatePair(Value[i], Value[i + 1]) ? 2 : 1;
            yield return Slice(i, i + width, budget);
            i += width;
        }
    }

    public override string ToString() => Value;

    // How many ranges end at or before a place.
    private int RangesEndedAt(int place)
    {
        int low = 0, high = _content.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_content[middle].End <= place)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    // White space as Python's str.isspace has it.
    private static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';
}
