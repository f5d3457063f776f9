namespace KvTiers.Sessions.Log;

/// <summary>Finds where one log first differs from another.</summary>
public sealed record LogDifference
{
    /// <summary>Characters of context in an excerpt, before and after the difference.</summary>
    private const int ExcerptReach = 24;

    /// <summary>The first message that differs.</summary>
    public required int MessageIndex { get; init; }

    /// <summary>That message's role.</summary>
    public required string Role { get; init; }

    /// <summary>First token of the log that differs.</summary>
    public required int TokenOffset { get; init; }

    /// <summary>First character of the message that differs; equal texts whose tokens differ have their length here.</summary>
    public required int CharacterOffset { get; init; }

    /// <summary>The former text around the difference; empty when the message is new.</summary>
    public required string OldExcerpt { get; init; }

    /// <summary>The new text around the difference; empty when the message is gone.</summary>
    public required string NewExcerpt { get; init; }

    /// <summary>Where <paramref name="current"/> departs from <paramref name="former"/>; null when it only extends it.</summary>
    public static LogDifference? Between(TokenLog former, TokenLog current)
    {
        int offset = former.CommonPrefix(current);
        if (offset == former.TokenCount)
            return null;
        int index = 0;
        while (former.Breakpoints[index] <= offset)
            index++;
        LoggedMessage old = former.Messages[index];
        LoggedMessage? changed = index < current.Messages.Length ? current.Messages[index] : null;
        string now = changed?.Content ?? "";
        int character = old.Content.AsSpan().CommonPrefixLength(now);
        if (character > 0 && char.IsHighSurrogate(old.Content[character - 1]))
            character--;
        return new()
        {
            MessageIndex = former.IndexOf(index),
            Role = changed?.Role ?? old.Role,
            TokenOffset = offset,
            CharacterOffset = character,
            OldExcerpt = Excerpt(old.Content, character),
            NewExcerpt = changed is null ? "" : Excerpt(now, character),
        };
    }

    private static string Excerpt(string text, int around)
    {
        int start = Math.Max(0, around - ExcerptReach);
        int end = Math.Min(text.Length, around + ExcerptReach);
        if (start > 0 && char.IsLowSurrogate(text[start]))
            start--;
        if (end < text.Length && char.IsLowSurrogate(text[end]))
            end++;
        return (start > 0 ? "…" : "") + text[start..end] + (end < text.Length ? "…" : "");
    }
}
