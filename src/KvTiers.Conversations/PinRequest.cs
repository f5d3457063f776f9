namespace KvTiers.Conversations;

/// <summary>Body of a pin request over HTTP.</summary>
public sealed record PinRequest
{
    /// <summary>How long the pin lasts, in seconds, above 0; null = until it is unpinned.</summary>
    public double? TtlSeconds { get; init; }
}
