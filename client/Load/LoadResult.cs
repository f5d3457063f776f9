namespace KvTiers.Cli.Load;

/// <summary>What a run came to.</summary>
internal sealed class LoadResult(LoadOptions options, LoadTally tally, TimeSpan duration)
{
    public LoadOptions Options => options;

    /// <summary>The turns, by conversation and number.</summary>
    public IReadOnlyList<LoadTurn> Turns { get; } = [.. tally.Turns.OrderBy(turn => turn.Conversation).ThenBy(turn => turn.Turn)];

    /// <summary>Without the verification.</summary>
    public double Seconds => duration.TotalSeconds;

    public Percentiles? TtftMs => Percentiles.Of(Turns.Select(turn => turn.Ttft));

    public Percentiles? TpotMs => Percentiles.Of(Turns.Select(turn => turn.Tpot));

    public Percentiles? EndToEndMs => Percentiles.Of(Turns.Select(turn => (TimeSpan?)turn.Duration));

    public double TokensPerSecond => All.CompletionTokens / Seconds;

    public LoadSilo All => LoadSilo.Of("all", Turns);

    public IReadOnlyList<LoadSilo> Silos =>
        [.. options.Urls.Select((url, i) => LoadSilo.Of(url.GetLeftPart(UriPartial.Authority), [.. Turns.Where(turn => turn.Silo == i)]))];

    /// <summary>Failed calls by kind; all but <see cref="FailedTurns"/> succeeded when tried again.</summary>
    public IReadOnlyDictionary<string, int> Faults => tally.Faults.OrderBy(fault => fault.Key, StringComparer.Ordinal).ToDictionary();

    public int FailedTurns => tally.FailedTurns;

    /// <summary>Turns whose acknowledgement was lost, and whose answer was found stored.</summary>
    public int FoundStored => Turns.Count(turn => turn.WasFoundStored);

    public int Verified => tally.Verified;

    public IReadOnlyCollection<string> Wrong => tally.Wrong;
}
