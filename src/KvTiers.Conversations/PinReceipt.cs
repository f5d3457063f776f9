namespace KvTiers.Conversations;

/// <summary>What a pin bars from eviction.</summary>
public sealed record PinReceipt
{
    /// <summary>The conversation's id.</summary>
    public required string Conversation { get; init; }

    /// <summary>The conversation's version with the pin.</summary>
    public required long Version { get; init; }

    /// <summary>When the pin ends; <see cref="DateTimeOffset.MaxValue"/> = when it is unpinned.</summary>
    public required DateTimeOffset PinnedUntil { get; init; }

    /// <summary>Tokens whose blocks are hot and pinned now.</summary>
    public required int Tokens { get; init; }

    /// <summary>Those blocks.</summary>
    public required int Blocks { get; init; }
}
