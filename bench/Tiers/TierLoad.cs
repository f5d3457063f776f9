using System.Collections.Concurrent;
using System.Diagnostics;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Bench.Tiers;

/// <summary>A tier through its own door, so many calls at a time. Bytes are those of the hot blocks.</summary>
/// <remarks>
/// A put brings a block that the tier does not hold, into a tier that is full: another is evicted for it. A get brings a
/// block that is held, each in turn in no order the device could guess.
/// </remarks>
internal sealed class TierLoad : ILoad
{
    private const int Stride = 7919;

    private readonly BlockTier _tier;
    private readonly HotBlocks _hot;
    private readonly int _held;
    private readonly int _depth;
    private readonly bool _put;
    private int _next = -1;

    private TierLoad(BlockTier tier, HotBlocks hot, int held, int depth, bool put)
    {
        _tier = tier;
        _hot = hot;
        _held = held;
        _depth = depth;
        _put = put;
    }

    /// <param name="tier">The tier.</param>
    /// <param name="hot">What is put, and where gets go.</param>
    /// <param name="capacity">Blocks the tier holds.</param>
    /// <param name="depth">Calls under way at once; 1 of an immediate tier runs on the caller's thread.</param>
    /// <param name="put">Put, or get.</param>
    public static async Task<TierLoad> CreateAsync(BlockTier tier, HotBlocks hot, int capacity, int depth, bool put)
    {
        var load = new TierLoad(tier, hot, capacity, depth, put);
        for (int number = 0; number < capacity; number++)
            await load.PutAsync(number);

        load._next = put ? capacity - 1 : -1;
        return load;
    }

    public async Task RunAsync(TimeSpan slice, Samples samples)
    {
        var ticks = new ConcurrentBag<List<long>>();
        long start = Stopwatch.GetTimestamp();
        if (_depth == 1)
            ticks.Add(await RepeatAsync(start, slice));
        else
            await Task.WhenAll(Enumerable.Range(0, _depth).Select(_ => Task.Run(async () => ticks.Add(await RepeatAsync(start, slice)))));

        samples.Add(Stopwatch.GetElapsedTime(start).TotalSeconds, _hot.Layout.BytesPerBlock, ticks.SelectMany(each => each));
    }

    private async Task<List<long>> RepeatAsync(long start, TimeSpan slice)
    {
        var ticks = new List<long>();
        while (Stopwatch.GetElapsedTime(start) < slice)
        {
            int number = Interlocked.Increment(ref _next) & int.MaxValue;
            long before = Stopwatch.GetTimestamp();
            if (_put)
                await PutAsync(number % (2 * _held));
            else
                await GetAsync(number);

            ticks.Add(Stopwatch.GetTimestamp() - before);
        }

        return ticks;
    }

    private async ValueTask PutAsync(int number)
    {
        var attributes = new BlockAttributes { TokenCount = _hot.Layout.BlockSize };
        if (!await _tier.TryWriteAsync(_hot.Hash(number), _hot.Memory[number % _hot.Count], attributes, CancellationToken.None))
            throw new InvalidOperationException($"Tier '{_tier.Name}' refused a block: {Describe()}.");
    }

    private async ValueTask GetAsync(int number)
    {
        int held = (int)((long)number * Stride % _held);
        if (await _tier.ReadAsync(_hot.Hash(held), _hot.Memory[number % _hot.Count], CancellationToken.None) is null)
            throw new InvalidOperationException($"Tier '{_tier.Name}' missed a block that it held: {Describe()}.");
    }

    private string Describe() => string.Join(", ", _tier.Usage.Misses.Where(miss => miss.Value > 0).Select(miss => $"{miss.Key} {miss.Value}"));
}
