namespace KvTiers.Conversations;

/// <summary>Says where a conversation branches off.</summary>
public sealed record ForkRequest
{
    /// <summary>How many messages the fork keeps; null = all.</summary>
    public int? At { get; init; }

    /// <summary>The fork's id; null = one is made.</summary>
    public string? Id { get; init; }
}
