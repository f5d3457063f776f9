using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Changes;

namespace KvTiers.Sessions.Storage;

/// <summary>Says what the deletion of one conversation owes. It is written before the record goes, and kept until no tier holds a block of it.</summary>
/// <remarks>It names paths by their tokens, as the tiers are asked by them: what was said is still in it, as it is in the blocks that it is there to remove.</remarks>
public sealed record Tombstone
{
    /// <summary>Names the deletion.</summary>
    public required Guid Id { get; init; }

    /// <summary>Which conversation was deleted.</summary>
    public required ConversationKey Key { get; init; }

    /// <summary>The version that was deleted. While it is still the stored one, the deletion is not done.</summary>
    public required ConversationVersion Version { get; init; }

    /// <summary>Whose tiers owe it: <see cref="ConversationOptions.Owner"/>.</summary>
    public required string Owner { get; init; }

    /// <summary>The namespace of the paths.</summary>
    public required BlockHash Root { get; init; }

    /// <summary>Every path that was the conversation's: its log, what undo led to, turns that came to nothing. Deepest last.</summary>
    public required IReadOnlyList<ReadOnlyMemory<int>> Paths { get; init; }

    /// <summary>When it was deleted.</summary>
    public required DateTimeOffset DeletedAt { get; init; }
}
