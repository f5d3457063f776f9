using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>How a lane that is not asked has its chance again: by a probe when it did not answer, by a trial when it seemed too slow.</content>
internal abstract partial class TierLane
{
    // Calls that hang are left alone, but not more than so many.
    private const int MaxProbes = 4;

    // Trials cost requests time: so much of all time at most. But the first loads of a process, whose code is just being compiled, say little: a few trials
    // come at once, if they seem to take no longer than that may last.
    private const double TrialShare = 0.02;
    private const int FirstTrials = 5;
    private const double LongestFirst = 0.1;

    private BlockHash _probed;
    private int _probes;
    private long _triedAt;
    private int _trials;

    /// <summary>
    /// Whether a few blocks are loaded though that seems not worth it. What is not chosen is never measured, and would stay what it once seemed; and only
    /// a load that somebody waits for tells what it takes: beside the computing that was chosen instead, which keeps the processors busy, it takes many
    /// times as long.
    /// </summary>
    /// <param name="seconds">What the trial seems to take.</param>
    public bool TakesTrial(double seconds)
    {
        long now = Time.GetTimestamp(), last = Interlocked.Read(ref _triedAt);
        bool isFirst = Volatile.Read(ref _trials) < FirstTrials && seconds <= LongestFirst;
        bool isDue = MayAsk && (isFirst || Time.GetElapsedTime(last, now).TotalSeconds >= seconds / TrialShare);
        if (!isDue || Interlocked.CompareExchange(ref _triedAt, now, last) != last)
            return false;
        Interlocked.Increment(ref _trials);
        return true;
    }

    /// <summary>A call takes longer than it may; the block is what the lane is asked for until it answers.</summary>
    protected void NoteLate(BlockHash hash)
    {
        _probed = hash;
        Tier.CountLate();
        Health.Late();
    }

    private async Task<bool> ProbeAsync()
    {
        if (IsStuck || Volatile.Read(ref _probes) >= MaxProbes)
            return false;
        Interlocked.Increment(ref _probes);
        Task probe = Task.Run(async () =>
        {
            await Tier.ReadAsync(_probed, new byte[BlockBytes], CancellationToken.None).ConfigureAwait(false);
            Interlocked.Decrement(ref _probes);
        });
        try
        {
            await probe.WaitAsync(Options.Deadline, Time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
