using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;

namespace KvTiers.Samples.OwnEngine;

/// <summary>An engine of one's own over the cache: the same prompt is computed, found hot, and after a restart loaded from disk.</summary>
public static class Sample
{
    // Sixteen tokens a block, one number for each. An engine with attention's keys and values says BlockLayout instead.
    private static readonly BlockShape Shape = new(bytesPerBlock: 16 * sizeof(int), blockSize: 16, "a number for each token"u8);
    private static readonly int[] Prompt = [.. Enumerable.Range(1, 100)];

    /// <summary>Runs it.</summary>
    /// <param name="folder">Where the disk tier lies.</param>
    /// <param name="output">A line for each answer.</param>
    public static async Task RunAsync(string folder, TextWriter output)
    {
        var options = new TieredCacheOptions
        {
            Hot = new KvCacheOptions { HotBytes = 1 << 20 },
            Tiers = [TierOptions.Ram(4 << 20), TierOptions.Disk(new DiskStoreOptions { Folder = folder, CapacityBytes = 16 << 20, SegmentBytes = 1 << 20 })],
        };
        await using (TieredCache cache = await TieredCache.OpenAsync(Shape, options))
        {
            await AnswerAsync("computed", cache, output);
            await AnswerAsync("hot", cache, output);
            await cache.FlushAsync(CancellationToken.None); // to disk, before the process ends
        }

        await using TieredCache reopened = await TieredCache.OpenAsync(Shape, options);
        await AnswerAsync("disk", reopened, output);
    }

    private static async Task AnswerAsync(string name, TieredCache cache, TextWriter output)
    {
        var engine = new ToyEngine();
        BlockHash root = cache.RootFor("toy engine 1"u8, tenantSalt: "a secret of the tenant's"u8);

        // The last token is always computed: the cache keeps keys and values, not answers.
        using BlockLease lease = await cache.AcquireAsync(root, Prompt.AsMemory(..^1));
        int found = lease.TokenCount;
        if (!lease.TryReserve(Prompt.Length - found))
            throw new InvalidOperationException("Every block is in use.");
        int answer = engine.Compute(cache.Cache, lease, Prompt, found);
        lease.Append(Prompt.AsSpan(found));
        lease.Publish();
        await output.WriteLineAsync(FormattableString.Invariant($"{name}: {found} of {Prompt.Length} tokens found, {engine.Computed} computed, the answer is {answer}"));
    }
}
