namespace KvTiers.Sessions.Hosting;

/// <summary>How many conversations a process keeps in memory, and for how long.</summary>
public sealed record LocalConversationsOptions
{
    /// <summary>A conversation that nobody used for so long gives up its blocks and leaves memory; above zero. Default 5 minutes.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often idle ones are looked for, and whether the engine lacks room; above zero. Default 1 second.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Conversations in memory at most, 1 or more. Beyond it the longest idle one leaves; when all are in use, the next call waits. Default 1,024.</summary>
    public int MaxActive { get; init; } = 1024;

    /// <summary>Share of the hot blocks that conversations may hold between turns, 0 to 1. Beyond it the longest idle one gives up its blocks. Default 0.5.</summary>
    public double LeasedShare { get; init; } = 0.5;

    /// <summary>
    /// How long before a conversation's expected return its blocks are loaded from colder tiers into free hot room; zero (the default, off) to 10 minutes.
    /// What is looked at every <see cref="SweepEvery"/> cannot be earlier than that.
    /// </summary>
    public TimeSpan WarmAhead { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names property, value and rule.</exception>
    public void Validate()
    {
        if (IdleAfter <= TimeSpan.Zero)
            throw new ArgumentException($"{nameof(IdleAfter)} is {IdleAfter}; it must be above zero.", nameof(IdleAfter));
        if (SweepEvery <= TimeSpan.Zero)
            throw new ArgumentException($"{nameof(SweepEvery)} is {SweepEvery}; it must be above zero.", nameof(SweepEvery));
        if (WarmAhead < TimeSpan.Zero || WarmAhead > TimeSpan.FromMinutes(10))
            throw new ArgumentException($"{nameof(WarmAhead)} is {WarmAhead}; it must be from zero to 10 minutes.", nameof(WarmAhead));
        if (MaxActive < 1)
            throw new ArgumentException($"{nameof(MaxActive)} is {MaxActive}; it must be 1 or more.", nameof(MaxActive));
        if (LeasedShare is not (>= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(LeasedShare)} is {LeasedShare}; it must be from 0 to 1."), nameof(LeasedShare));
    }
}
