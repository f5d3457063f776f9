namespace KvTiers.Tiers;

/// <summary>One tier's place in a <see cref="TierStack"/>.</summary>
public sealed record TierOptions
{
    /// <summary>The tier; the stack disposes it.</summary>
    public required IBlockTier Tier { get; init; }

    /// <summary>When blocks are copied to it. Default on demotion.</summary>
    public WritePolicy WritePolicy { get; init; }

    /// <summary>
    /// Whether a block that is promoted leaves the tier, so that no room is spent twice. False keeps the copy, and saves
    /// writing it again. Default true.
    /// </summary>
    public bool Exclusive { get; init; } = true;

    /// <summary>Whether calls complete at once, from memory. Blocks are then handed over where they lie, without a queue.</summary>
    public bool Immediate { get; init; }

    /// <summary>Whether others use the tier too, so that a superseded block is left to expire instead of being removed.</summary>
    public bool Shared { get; init; }

    /// <summary>How long a block stays after its last use; null for as long as there is room. Above zero.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>How long a superseded block stays in a shared tier. Above zero. Default one minute.</summary>
    public TimeSpan SupersededTimeToLive { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Blocks that may wait to be written; 1 to 4,096. Default 64. One more waits for room.</summary>
    public int WriteQueueBlocks { get; init; } = 64;

    /// <summary>Writes under way at once; 1 to 64. Default 2.</summary>
    public int WriteConcurrency { get; init; } = 2;

    /// <summary>Reads under way at once for one promotion; 1 to 64. Default 4.</summary>
    public int ReadConcurrency { get; init; } = 4;

    /// <summary>
    /// How long a demotion waits for room in the queue before the block is given up, and every later one at once until the queue is half empty.
    /// Above zero. Default 20 ms.
    /// </summary>
    public TimeSpan WritePatience { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Tier);
        Check(Enum.IsDefined(WritePolicy), nameof(WritePolicy), WritePolicy, "OnDemote, OnSecondUse or OnSeal");
        Check(TimeToLive is null || TimeToLive > TimeSpan.Zero, nameof(TimeToLive), TimeToLive, "above zero");
        Check(SupersededTimeToLive > TimeSpan.Zero, nameof(SupersededTimeToLive), SupersededTimeToLive, "above zero");
        Check(WriteQueueBlocks is >= 1 and <= 4096, nameof(WriteQueueBlocks), WriteQueueBlocks, "from 1 to 4096");
        Check(WriteConcurrency is >= 1 and <= 64, nameof(WriteConcurrency), WriteConcurrency, "from 1 to 64");
        Check(ReadConcurrency is >= 1 and <= 64, nameof(ReadConcurrency), ReadConcurrency, "from 1 to 64");
        Check(WritePatience > TimeSpan.Zero, nameof(WritePatience), WritePatience, "above zero");
    }

    private void Check(bool holds, string property, object? value, string rule)
    {
        if (!holds)
        {
            throw new ArgumentException($"{property} of tier '{Tier.Name}' is {value}; it must be {rule}.", property);
        }
    }
}
