namespace KvTiers.Tiers;

/// <summary>A run of blocks that one tier holds, in the order of the prompt.</summary>
/// <param name="Tier">Index of the tier in the stack.</param>
/// <param name="BlockCount">Blocks.</param>
internal readonly record struct TierRun(int Tier, int BlockCount);

/// <summary>Chooses how many of the leading blocks that colder tiers hold are loaded; the rest is recomputed.</summary>
/// <remarks>
/// Computing begins where loading ends, because a token's keys and values depend on all before it. So the time to the
/// first token, as far as the choice goes, is: the transfers of the blocks loaded, and the prefill of those not loaded.
/// Of all cuts the cheapest is taken, and among equals the one that loads most.
/// </remarks>
internal sealed class PromotionPlanner
{
    private readonly Lock _lock = new();
    private readonly CostLine _prefill;

    /// <summary>Starts from a guess of the prefill's speed, which measurements replace.</summary>
    public PromotionPlanner(double prefillSecondsPerToken = 1e-3)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(prefillSecondsPerToken);
        _prefill = new CostLine(0, prefillSecondsPerToken);
    }

    /// <summary>Seconds that one prompt token more takes the engine. What a step takes whatever its size is spent on the last token anyway, which is never loaded.</summary>
    public double PrefillSecondsPerToken
    {
        get
        {
            lock (_lock)
                return _prefill.SecondsPerUnit;
        }
    }

    /// <summary>A step of so many tokens took so long.</summary>
    public void AddPrefill(int tokenCount, TimeSpan elapsed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokenCount);
        lock (_lock)
            _prefill.Add(tokenCount, elapsed.TotalSeconds);
    }

    /// <summary>What asking a tier for blocks would take, if it had them all: the question, and then the loads.</summary>
    public static double SecondsToAsk(TransferRate rate, int blockCount, int blocksAtOnce, long bytesPerBlock) =>
        rate.QuestionSeconds + rate.SecondsFor(bytesPerBlock * blockCount, RoundsFor(blockCount, blocksAtOnce));

    /// <summary>How many leading blocks to load.</summary>
    /// <param name="runs">The blocks held, run by run, from where the hot prefix ends.</param>
    /// <param name="rates">Each tier's speed.</param>
    /// <param name="blocksAtOnce">How many blocks each tier is asked for at once; empty for all of a run.</param>
    /// <param name="bytesPerBlock">Bytes that a tier moves for one block.</param>
    /// <param name="tokensPerBlock">Tokens that a block saves computing.</param>
    public int BlocksToLoad(
        ReadOnlySpan<TierRun> runs, ReadOnlySpan<TransferRate> rates, ReadOnlySpan<int> blocksAtOnce, long bytesPerBlock, int tokensPerBlock)
    {
        int total = 0;
        foreach (TierRun run in runs)
            total += run.BlockCount;

        double perBlock = tokensPerBlock * PrefillSecondsPerToken;
        double best = total * perBlock, loading = 0;
        int bestCount = 0, loaded = 0;
        foreach (TierRun run in runs)
        {
            // Within a run the time is linear in the cut, so only its end can be the best.
            int rounds = blocksAtOnce.IsEmpty ? 1 : RoundsFor(run.BlockCount, blocksAtOnce[run.Tier]);
            loading += rates[run.Tier].SecondsFor(bytesPerBlock * run.BlockCount, rounds);
            loaded += run.BlockCount;
            double seconds = loading + ((total - loaded) * perBlock);
            if (seconds <= best)
            {
                best = seconds;
                bestCount = loaded;
            }
        }

        return bestCount;
    }

    private static int RoundsFor(int blockCount, int blocksAtOnce) => (blockCount + blocksAtOnce - 1) / blocksAtOnce;
}
