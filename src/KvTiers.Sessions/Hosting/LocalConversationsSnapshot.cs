namespace KvTiers.Sessions.Hosting;

/// <summary>What a host has in memory at one moment, and has done since it started.</summary>
/// <param name="Active">Conversations in memory.</param>
/// <param name="Busy">Those with a call under way or waiting.</param>
/// <param name="IdleLeasedBlocks">Hot blocks that the others hold between turns; a shared block counts for each.</param>
/// <param name="Activations">Conversations taken into memory.</param>
/// <param name="Conflicts">Calls refused because someone else changed the conversation.</param>
public sealed record LocalConversationsSnapshot(int Active, int Busy, long IdleLeasedBlocks, long Activations, long Conflicts)
{
    /// <summary>Conversations whose blocks were looked for in colder tiers because they were expected back.</summary>
    public long Preloads { get; init; }

    /// <summary>Tokens whose blocks that loaded.</summary>
    public long PreloadedTokens { get; init; }

    /// <summary>Deletions, and paths that conversations gave up, of which a colder tier may still hold blocks.</summary>
    public int ErasuresOwed { get; init; }

    /// <summary>Erasures that are not tried any more.</summary>
    public long ErasuresGivenUp { get; init; }

    /// <summary>Pieces of work on colder tiers, beside the calls, that failed or took too long.</summary>
    public long BackgroundFaults { get; init; }

    /// <summary>Pieces of such work that there was no room for.</summary>
    public long BackgroundRefused { get; init; }
}
