namespace KvTiers.Silo.Conversations;

/// <summary>Body of <c>PATCH …/messages/{index}</c>.</summary>
internal sealed record EditBody
{
    /// <summary>The message's new text.</summary>
    public required string Content { get; init; }

    /// <summary>Whether the messages after it go too.</summary>
    public bool DropLater { get; init; }

    /// <summary>The version that the caller has seen; null = any.</summary>
    public long? ExpectedVersion { get; init; }
}
