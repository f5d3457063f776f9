using System.Numerics;

namespace KvTiers.Orleans.Hosting;

/// <summary>How a silo's conversations are kept and placed.</summary>
public sealed record OrleansConversationsOptions
{
    /// <summary>A conversation that nobody used for so long gives up its blocks and leaves memory; 2 seconds to 1 day. Default 5 minutes.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How conversations are placed. Default by prefix.</summary>
    public ConversationPlacement Placement { get; init; }

    /// <summary>Share above the mean number of conversations that a silo may have before placement passes it over, 0 to 10. Default 0.25.</summary>
    public double LoadSlack { get; init; } = 0.25;

    /// <summary>How often silos tell each other what they hold, 100 ms to 1 minute. Default 1 second.</summary>
    public TimeSpan PublishEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of a silo's summary at most, a power of two from 1 KiB to 16 MiB. Default 64 KiB, for 52,428 blocks.</summary>
    public int SummaryBytes { get; init; } = 64 << 10;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate()
    {
        OptionRule.Check(IdleAfter >= TimeSpan.FromSeconds(2) && IdleAfter <= TimeSpan.FromDays(1), nameof(IdleAfter), IdleAfter, "from 2 seconds to 1 day");
        OptionRule.Check(Enum.IsDefined(Placement), nameof(Placement), Placement, "Prefix or Random");
        OptionRule.Check(LoadSlack is >= 0 and <= 10, nameof(LoadSlack), LoadSlack, "from 0 to 10");
        OptionRule.Check(PublishEvery >= TimeSpan.FromMilliseconds(100) && PublishEvery <= TimeSpan.FromMinutes(1), nameof(PublishEvery), PublishEvery, "from 100 ms to 1 minute");
        OptionRule.Check(SummaryBytes is >= 1 << 10 and <= 16 << 20 && BitOperations.IsPow2(SummaryBytes), nameof(SummaryBytes), SummaryBytes, "a power of two from 1024 to 16777216");
    }
}
