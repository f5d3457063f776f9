using KvTiers.Prefix;

namespace KvTiers.Tiers;

public sealed partial class TierStack
{
    private const int MaxBlocksAtOnce = 64;
    private static readonly TimeSpan MeasureEvery = TimeSpan.FromSeconds(1);

    private readonly long[] _measuredAt;

    /// <summary>
    /// Blocks that a tier is asked for at once: more than its read concurrency when its answers take long to begin, but never
    /// more than there is room for anyway, so that no block is evicted for another that is not yet due.
    /// </summary>
    private int BlocksAtOnce(int tier)
    {
        int atLeast = _tiers[tier].ReadConcurrency;
        return _tiers[tier].Immediate
            ? atLeast
            : _rates[tier].TransfersAtOnce(Cache.Layout.BytesPerBlock, atLeast, Math.Clamp(Cache.Pool.FreeCount, atLeast, Math.Max(atLeast, MaxBlocksAtOnce)));
    }

    /// <summary>Whether a tier's answer could be worth waiting for. Memory is always asked.</summary>
    private bool IsWorthAsking(int tier, int blockCount) =>
        _options.Promotion != PromotionPolicy.ByRate
        || _tiers[tier].Immediate
        || Planner.IsWorthAsking(_rates[tier], blockCount, BlocksAtOnce(tier), Cache.Layout.BytesPerBlock, Cache.Layout.BlockSize);

    /// <summary>
    /// Nobody waits for a tier that was not chosen, so nobody would see it become faster: now and then it is asked for one block, aside.
    /// </summary>
    private async void MeasureAside(int tier, BlockHash hash)
    {
        long now = _time.GetTimestamp(), last = Interlocked.Read(ref _measuredAt[tier]);
        bool due = last == 0 || _time.GetElapsedTime(last, now) >= MeasureEvery;
        if (_tiers[tier].Immediate || !due || Interlocked.CompareExchange(ref _measuredAt[tier], now, last) != last)
        {
            return;
        }

        try
        {
            int held = await _tiers[tier].Tier.CountLeadingAsync(new[] { hash }, CancellationToken.None).ConfigureAwait(false);
            long answered = _time.GetTimestamp();
            _rates[tier].AddRoundTrip(_time.GetElapsedTime(now, answered));
            byte[] block = new byte[Cache.Layout.BytesPerBlock];
            if (held == 1 && await ReadStoredAsync(tier, hash, block, CancellationToken.None).ConfigureAwait(false))
            {
                _rates[tier].AddTransfer(block.Length, _time.GetElapsedTime(answered));
            }
        }
        catch (Exception)
        {
            // Nobody waits for it. A tier counts its own faults.
        }
    }
}
