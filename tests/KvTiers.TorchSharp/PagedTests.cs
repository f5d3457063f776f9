using KvTiers.Diagnostics;
using KvTiers.Tiers;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Tests;

public sealed class PagedTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(1, 10)];

    [Fact]
    public async Task TheTableLeadsToTheRowsOfEveryToken()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchPagedKvCache cache = await AcquireAsync(tiers, Prompt, [40, 41, 42]);
        Step(cache, [1, 2, 3], [40, 41, 42]);
        Step(cache, [4, 5], [43, 44]);
        AssertHolds(cache, 0, [1, 2, 3, 4, 5]);
        AssertHolds(cache, 1, [40, 41, 42, 43, 44]);
        using Tensor table = cache.BlockTable(), lengths = cache.Lengths();
        Assert.Equal([2, 2], table.shape);
        Assert.Equal([5L, 5L], lengths.data<long>().ToArray());
        CacheIntegrity.Check(tiers.Cache);
    }

    [Fact]
    public async Task AStepCopiesItsOwnRowsHoweverLongTheSequenceIs()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync(CountedModel.Layout, hotBlocks: 300);
        using TorchPagedKvCache cache = await AcquireAsync(tiers, Prompt);
        List<(long, long, long)> steps = [];
        for (int i = 0; i < 1000; i++)
        {
            TorchKvTotals before = cache.Totals;
            Step(cache, [i % 200]);
            steps.Add((cache.Totals.UpdatedBytes - before.UpdatedBytes, cache.Totals.StoredBytes - before.StoredBytes, cache.Totals.LoadedBytes - before.LoadedBytes));
        }

        Assert.Equal((CountedModel.BytesPerToken, CountedModel.BytesPerToken, 0), Assert.Single(steps.Distinct()));
        Assert.InRange(cache.Totals.GrownBytes, 1, 2 * 1000 * CountedModel.BytesPerToken);
        AssertHolds(cache, 0, [.. Enumerable.Range(0, 1000).Select(i => i % 200)]);
    }

    [Fact]
    public async Task BeamsHaveTheirPrefixOnce()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchPagedKvCache cache = await AcquireAsync(tiers, Prompt);
        Step(cache, Prompt);
        cache.Rearrange([0, 0, 0, 0]);

        // Two whole blocks are everybody's, the third one is four times its first two tokens.
        Assert.Equal(2 + 4, cache.BlockCount);
        Step(cache, [30], [31], [32], [33]);
        cache.Rearrange([1, 0, 1, 3]);
        Step(cache, [40], [41], [42], [43]);
        int[] last = [31, 30, 31, 33];
        for (int beam = 0; beam < 4; beam++)
            AssertHolds(cache, beam, [.. Prompt, last[beam], 40 + beam]);
        Assert.Equal(2 + 4, cache.BlockCount);
        cache.Rearrange([2]);
        Assert.Equal((1, 3), (cache.BatchSize, cache.BlockCount));
        CacheIntegrity.Check(tiers.Cache);
    }

    [Fact]
    public async Task WhatOneLeftTheNextOneFindsAndACropTakesBack()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using (TorchPagedKvCache first = await AcquireAsync(tiers, Prompt))
        {
            Step(first, Prompt);
            first.Publish();
            Step(first, [50]);
        }

        using TorchPagedKvCache second = await AcquireAsync(tiers, [.. Prompt, 60]);
        AssertHolds(second, 0, Prompt);
        second.Crop(6);
        Step(second, [70, 71, 72]);
        AssertHolds(second, 0, [.. Prompt[..6], 70, 71, 72]);
        CacheIntegrity.Check(tiers.Cache);
    }

    /// <summary>A prompt that somebody else sealed meanwhile is taken over: the table points to the standing block, and its rows are there.</summary>
    [Fact]
    public async Task ABlockThatStandsAlreadyTakesTheOwnOnesPlace()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchPagedKvCache one = await AcquireAsync(tiers, Prompt), other = await AcquireAsync(tiers, Prompt);
        Step(one, Prompt);
        Step(other, Prompt);
        Step(other, [90]);
        AssertHolds(other, 0, [.. Prompt, 90]);
        Assert.Equal(2, tiers.Cache.Snapshot().Totals.DuplicateBlocks);
    }

    [Fact]
    public async Task AStepThatLeavesALayerOutIsNotAppended()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchPagedKvCache cache = await AcquireAsync(tiers, Prompt);
        using Tensor rows = CountedModel.Rows([1, 2], 0, 1, isValue: false);
        cache.Write(rows, rows, 1);
        Assert.Contains("Layer 0 was not written", Assert.Throws<InvalidOperationException>(() => cache.Append([1, 2])).Message, StringComparison.Ordinal);
        cache.Crop(0);
        Step(cache, [1, 2]);
        AssertHolds(cache, 0, [1, 2]);
    }

    private static Task<TorchPagedKvCache> AcquireAsync(TieredCache tiers, params int[][] prompts) =>
        TorchPagedKvCache.AcquireAsync(tiers, CountedModel.Root(tiers), [.. prompts.Select(prompt => (ReadOnlyMemory<int>)prompt)], maxTokens: 1000);

    private static void Step(TorchPagedKvCache cache, params int[][] tokens)
    {
        for (int layer = 0; layer < cache.Layers; layer++)
        {
            Tensor[] keys = [.. tokens.Select((row, sequence) => CountedModel.Rows(row, cache.LengthOf(sequence), layer, isValue: false))];
            Tensor[] values = [.. tokens.Select((row, sequence) => CountedModel.Rows(row, cache.LengthOf(sequence), layer, isValue: true))];
            cache.Write(cat(keys, 0), cat(values, 0), layer);
        }

        cache.Append([.. tokens.SelectMany(row => row)]);
    }

    // As a model reads it: the blocks of the table, one after the other.
    private static void AssertHolds(TorchPagedKvCache cache, int sequence, int[] tokens)
    {
        Assert.Equal(tokens, cache.TokensOf(sequence).ToArray());
        using Tensor table = cache.BlockTable();
        for (int layer = 0; layer < cache.Layers; layer++)
        {
            foreach (bool isValue in (bool[])[false, true])
            {
                Tensor blocks = isValue ? cache.ValueBlocks(layer) : cache.KeyBlocks(layer);
                Tensor rows = blocks.index_select(0, table[sequence]).transpose(0, 1).reshape(1, CountedModel.Layout.KvHeads, -1, CountedModel.Layout.HeadDim);
                Assert.True(CountedModel.AreSame(rows.narrow(2, 0, tokens.Length), CountedModel.Rows(tokens, 0, layer, isValue)));
            }
        }
    }
}
