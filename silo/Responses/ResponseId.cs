using System.Globalization;
using KvTiers.Conversations;

namespace KvTiers.Silo.Responses;

/// <summary>A response's id, and where it is stored.</summary>
/// <remarks>
/// <c>resp_…</c> is the conversation of that id, which holds all that led to the response and ends with it. <c>resp_N.ID</c> is message N of the
/// conversation ID, which may have gone on since.
/// </remarks>
/// <param name="Conversation">Id of the conversation.</param>
/// <param name="Message">Which of its messages; null = the last.</param>
internal sealed record ResponseId(string Conversation, int? Message)
{
    private const string Prefix = "resp_";

    /// <summary>The id of a new response that is stored by itself, or not at all.</summary>
    public static ResponseId New() => new($"{Prefix}{Guid.NewGuid():N}", null);

    /// <summary>An id that a caller sent; null = it cannot be one.</summary>
    public static ResponseId? Parse(string id)
    {
        if (!id.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        string rest = id[Prefix.Length..];
        int dot = rest.IndexOf('.', StringComparison.Ordinal);
        bool isMessage = dot > 0 && int.TryParse(rest.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        ResponseId parsed = isMessage ? new(rest[(dot + 1)..], int.Parse(rest.AsSpan(0, dot), CultureInfo.InvariantCulture)) : new(id, null);
        try
        {
            ConversationKey.Validate(parsed.Conversation, "response");
            return parsed;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The id of an item of the response: <c>msg_…</c>.</summary>
    /// <param name="index">Index of the item's message in the conversation.</param>
    public string Item(int index) => $"msg_{Stem}_{index}";

    /// <summary>The id of a call that a message makes: <c>fc_…</c>.</summary>
    /// <param name="index">Index of the message in the conversation.</param>
    /// <param name="call">Which call of the message.</param>
    public string Call(int index, int call) => $"fc_{Stem}_{index}_{call}";

    private string Stem => Conversation.StartsWith(Prefix, StringComparison.Ordinal) ? Conversation[Prefix.Length..] : Conversation;

    /// <inheritdoc/>
    public override string ToString() => Message is { } index ? FormattableString.Invariant($"{Prefix}{index}.{Conversation}") : Conversation;
}
