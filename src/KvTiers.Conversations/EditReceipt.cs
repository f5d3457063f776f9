namespace KvTiers.Conversations;

/// <summary>What a change to the log kept and what it invalidated.</summary>
/// <remarks>
/// Inside <see cref="TurnStarted"/> it tells what storing the turn will release of the hot tier, as it stands then: a turn that is refused or cancelled releases
/// nothing. Colder tiers follow in the background, and are not in it.
/// </remarks>
public sealed record EditReceipt
{
    /// <summary>The conversation's version with the change; inside <see cref="TurnStarted"/>, the version that the turn replaces.</summary>
    public required long Version { get; init; }

    /// <summary>Tokens before the first differing one: they stay valid.</summary>
    public required int TokensKept { get; init; }

    /// <summary>Tokens of the former log from the first differing one on.</summary>
    public required int TokensInvalidated { get; init; }

    /// <summary>Hot blocks that are superseded: the first to be evicted. They stay until the room is needed, so that an undo is free.</summary>
    public required int BlocksReleased { get; init; }

    /// <summary>Hot blocks past the first differing token that something else still holds.</summary>
    public required int BlocksShared { get; init; }

    /// <summary>Bytes by tier (<c>hot</c>, …) that the released blocks occupy and eviction may reuse.</summary>
    public required IReadOnlyDictionary<string, long> BytesFreed { get; init; }
}
