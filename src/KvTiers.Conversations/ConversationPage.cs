using System.Text.Json.Serialization;

namespace KvTiers.Conversations;

/// <summary>A part of a tenant's conversations, last created first. No change of a conversation moves it in this order.</summary>
public sealed record ConversationPage
{
    /// <summary>Conversations of a page where the caller does not say.</summary>
    public const int DefaultLimit = 20;

    /// <summary>Most conversations of a page.</summary>
    public const int MaxLimit = 1_000;

    /// <summary>The conversations.</summary>
    public required IReadOnlyList<ConversationSummary> Data { get; init; }

    /// <summary>Whether others follow the last.</summary>
    public required bool HasMore { get; init; }

    /// <summary>Always <c>list</c>.</summary>
    [JsonPropertyOrder(-1)]
    public string Object => "list";

    /// <summary>Id of the first; null = there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FirstId => Data.Count == 0 ? null : Data[0].Id;

    /// <summary>Id of the last, after which the next page begins; null = there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? LastId => Data.Count == 0 ? null : Data[^1].Id;

    /// <summary>The page of a list.</summary>
    /// <param name="all">The whole list, in any order.</param>
    /// <param name="limit">Most conversations of the page.</param>
    /// <param name="after">The id after which it begins; null = at the beginning.</param>
    /// <exception cref="ArgumentException">The limit is out of range, or no conversation has that id; the parameter name is <c>limit</c> or <c>after</c>.</exception>
    public static ConversationPage Of(IEnumerable<ConversationSummary> all, int limit, string? after)
    {
        CheckLimit(limit);
        List<ConversationSummary> sorted = [.. all.OrderByDescending(summary => summary.CreatedAt).ThenBy(summary => summary.Id, StringComparer.Ordinal)];
        int start = after is null ? 0 : sorted.FindIndex(summary => summary.Id == after) + 1;
        if (start == 0 && after is not null)
            throw new ArgumentException($"after is '{after}'; it must be the id of a conversation in the list.", nameof(after));
        return new() { Data = [.. sorted.Skip(start).Take(limit)], HasMore = sorted.Count - start > limit };
    }

    /// <summary>Checks a limit.</summary>
    /// <exception cref="ArgumentException">It is not from 1 to <see cref="MaxLimit"/>.</exception>
    public static void CheckLimit(int limit)
    {
        if (limit is < 1 or > MaxLimit)
            throw new ArgumentException($"limit is {limit}; it must be from 1 to {MaxLimit}.", nameof(limit));
    }
}
