using KvTiers.Prefix;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tiers;

/// <content>What a lane is asked aside, while nobody waits for it: whether it is well again, and how fast it is by now.</content>
internal abstract partial class TierLane
{
    // Calls that hang are left alone, but not more than so many.
    private const int MaxProbes = 4;

    private const int MaxBlocksAtOnce = 64;
    private const long MaxMeasuredBytes = 8 << 20;

    // The first measurements, of code that is just being compiled and files that were never read, say little: the next come soon, and then less and less often.
    private static readonly TimeSpan FirstMeasure = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MeasureEvery = TimeSpan.FromSeconds(1);

    private BlockHash _probed;
    private int _probes;
    private long _measuredAt;
    private int _measured;
    private Task _measuring = Task.CompletedTask;

    /// <summary>Ends when nothing is read aside.</summary>
    public Task Aside => Volatile.Read(ref _measuring);

    /// <summary>
    /// Measures a load that was not worth making, by making it: as many blocks side by side as one load would have, into memory of its own. A tier that is
    /// not chosen has its chance again so. At most one at a time, and after the first few one a second.
    /// </summary>
    /// <param name="chain">The blocks.</param>
    public void MeasureAside(ReadOnlyMemory<BlockHash> chain)
    {
        long now = Time.GetTimestamp(), last = Interlocked.Read(ref _measuredAt);
        TimeSpan pause = _measured < 5 ? FirstMeasure * (1 << _measured) : MeasureEvery;
        bool isDue = last == 0 || Time.GetElapsedTime(last, now) >= pause;
        if (IsInPlace || !isDue || !Health.MayAsk || !Aside.IsCompleted || Interlocked.CompareExchange(ref _measuredAt, Math.Max(1, now), last) != last)
            return;
        _measured++;
        int atMost = (int)Math.Clamp(MaxMeasuredBytes / BlockBytes, 1, BlocksAtOnce(MaxBlocksAtOnce));
        Volatile.Write(ref _measuring, Task.Run(() => MeasureAsync(chain[..Math.Min(chain.Length, atMost)])));
    }

    private async Task MeasureAsync(ReadOnlyMemory<BlockHash> chain)
    {
        long start = Time.GetTimestamp();
        int held = await CountStoredAsync(chain, Options.Deadline, CancellationToken.None).ConfigureAwait(false);
        Rate.AddQuestion(Time.GetElapsedTime(start));
        if (held == 0)
            return;
        var blocks = new AlignedBuffer(held * BlockBytes);
        start = Time.GetTimestamp();
        LaneRead read = await ReadAsync(chain[..held], i => blocks.Memory.Slice(i * BlockBytes, BlockBytes), Options.Deadline, CancellationToken.None).ConfigureAwait(false);
        if (read.Arrived.Length > 0)
            Rate.AddLoad((long)read.Arrived.Length * BlockBytes, Time.GetElapsedTime(start));

        // A read that hangs still writes there.
        if (read.Late is null)
            ((IDisposable)blocks).Dispose();
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
