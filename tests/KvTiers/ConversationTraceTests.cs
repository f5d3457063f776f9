using System.Text.Json;
using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers.Tests;

/// <summary>
/// Real chat traffic (the Mooncake release, FAST'25) replayed in file order through the real cache: one token stands for one 512-token block of the trace.
/// </summary>
public sealed class ConversationTraceTests
{
    private static readonly Lazy<int[][]> Requests = new(() => [.. File.ReadLines(RepositoryFiles.ConversationTrace).Select(ReadHashIds)]);

    [Theory]
    [InlineData(1_000, 12_847)]
    [InlineData(3_000, 18_850)]
    [InlineData(10_000, 61_046)]
    [InlineData(30_000, 93_978)]
    [InlineData(50_000, 102_290)]
    [InlineData(182_790, 105_710)]
    public void ReplayingTheConversationTraceHitsExactlyTheKnownBlocks(int capacity, int expectedHits)
    {
        Assert.SkipUnless(File.Exists(RepositoryFiles.ConversationTrace), "The trace is not beside the repository (../shared/traces/conversation_trace.jsonl).");
        BlockLayout layout = new(Layers: 1, KvHeads: 1, HeadDim: 8, KvFormat.F32, BlockSize: 1);
        BlockHash root = BlockHash.Root("trace"u8, layout, []);
        using KvCache cache = new(layout, new KvCacheOptions { HotBlocks = capacity, Prefault = false });
        int blocks = 0;
        foreach (int[] ids in Requests.Value)
        {
            blocks += ids.Length;
            using BlockLease lease = cache.Acquire(root, ids);
            Assert.True(cache.TryReserve(lease, ids.Length - lease.TokenCount));
            cache.Append(lease, ids.AsSpan(lease.TokenCount));
        }

        CacheSnapshot snapshot = cache.Snapshot();
        Assert.Equal(288_500, blocks);
        Assert.Equal(expectedHits, snapshot.Totals.HitTokens);
        Assert.Equal(blocks - expectedHits, snapshot.Totals.SealedBlocks);
        CacheIntegrity.Check(cache);
    }

    private static int[] ReadHashIds(string line)
    {
        using JsonDocument request = JsonDocument.Parse(line);
        return [.. request.RootElement.GetProperty("hash_ids").EnumerateArray().Select(id => id.GetInt32())];
    }
}
