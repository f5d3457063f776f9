using KvTiers.Diagnostics;
using KvTiers.Tiers;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Tests;

public sealed class TorchKvCacheTests
{
    private static readonly TorchKvCacheOptions Options = new() { MaxTokens = 64, InitialTokens = 64 };
    private static readonly int[] Prompt = [.. Enumerable.Range(1, 10)];

    [Fact]
    public async Task UpdatesReturnWhatCatWouldReturn()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options, Prompt);
        CountedModel.Step(cache, Prompt);
        for (int i = 0; i < 7; i++)
        {
            using Tensor key = CountedModel.Rows([20 + i], 10 + i, 0, isValue: false), value = CountedModel.Rows([20 + i], 10 + i, 0, isValue: true);
            (Tensor keys, Tensor values) = cache.Update(key, value, 0);
            using (keys)
            using (values)
            {
                Assert.Equal([1, 3, 11 + i, 4], keys.shape);
                using Tensor all = CountedModel.Rows([.. Prompt, .. Enumerable.Range(20, i + 1)], 0, 0, isValue: false);
                Assert.True(CountedModel.AreSame(keys, all));
            }

            CountedModel.Step(cache, [20 + i]);
        }

        CountedModel.AssertHolds(cache, 0, [.. Prompt, 20, 21, 22, 23, 24, 25, 26]);
        CacheIntegrity.Check(tiers.Cache);
    }

    /// <summary>What <c>cat</c> does not do: a step at 40 tokens costs what it costs at 4,000.</summary>
    [Fact]
    public async Task AStepCopiesItsOwnRowsAndAllocatesNoTensorHoweverLongTheSequenceIs()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync(CountedModel.Layout, hotBlocks: 1100);
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, new() { MaxTokens = 4200, InitialTokens = 4200 }, Prompt);
        CountedModel.Step(cache, Prompt);
        List<(long Updated, long Moved, long Allocated)> steps = [];
        List<long> stored = [];
        for (int i = 0; i < 4000; i++)
        {
            TorchKvTotals before = cache.Totals;
            CountedModel.Step(cache, [i % 200]);
            TorchKvTotals after = cache.Totals;
            steps.Add((
                after.UpdatedBytes - before.UpdatedBytes,
                after.LoadedBytes + after.ReorderedBytes + after.GrownBytes - before.LoadedBytes - before.ReorderedBytes - before.GrownBytes,
                after.Allocations - before.Allocations));
            stored.Add(after.StoredBytes - before.StoredBytes);
        }

        Assert.Equal((CountedModel.BytesPerToken, 0, 0), Assert.Single(steps.Distinct()));

        // A block's rows go there when it is full: those of two more tokens fill the prompt's third one, and then those of each four.
        Assert.All(stored.Index(), step => Assert.Equal(step.Index % 4 == 1 ? 4 * CountedModel.BytesPerToken : 0, step.Item));
        Assert.Equal(4, cache.Totals.Allocations);
    }

    [Fact]
    public async Task GrowingCopiesLessThanTwiceWhatTheSequenceHasInAll()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync(CountedModel.Layout, hotBlocks: 300);
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, new() { MaxTokens = 1000, InitialTokens = 16 }, Prompt);
        CountedModel.Step(cache, Prompt);
        for (int i = 10; i < 1000; i++)
            CountedModel.Step(cache, [i % 200]);
        Assert.InRange(cache.Totals.GrownBytes, 1, 2 * 1000 * CountedModel.BytesPerToken);
        CountedModel.AssertHolds(cache, 0, [.. Prompt, .. Enumerable.Range(10, 990).Select(i => i % 200)]);
    }

    [Fact]
    public async Task WhatOneLeftTheNextOneFinds()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using (TorchKvCache first = await CountedModel.AcquireAsync(tiers, Options, Prompt))
        {
            CountedModel.Step(first, Prompt);
            first.Publish();
        }

        int[] longer = [.. Prompt, 50, 51];
        using TorchKvCache second = await CountedModel.AcquireAsync(tiers, Options, longer);
        Assert.Equal(10, second.SequenceLength);
        CountedModel.AssertHolds(second, 0, Prompt);
        CountedModel.Compute(second, longer);
        CountedModel.AssertHolds(second, 0, longer);
        Assert.Equal(10 * CountedModel.BytesPerToken, second.Totals.LoadedBytes);
    }

    [Fact]
    public async Task ACropForgetsTokensAndAStepThatWasNotAppended()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options, Prompt);
        CountedModel.Step(cache, Prompt);
        CountedModel.Update(cache, [90, 91]);
        cache.Crop(-3);
        CountedModel.AssertHolds(cache, 0, Prompt.AsSpan(..7));
        CountedModel.Step(cache, [60]);
        CountedModel.AssertHolds(cache, 0, [.. Prompt[..7], 60]);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Crop(-9));
        CacheIntegrity.Check(tiers.Cache);
    }

    [Fact]
    public async Task AnEditKeepsWhatIsBeforeItAndFindsWhatAnUndoBringsBack()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options, Prompt);
        CountedModel.Step(cache, Prompt);
        int[] edited = [.. Prompt[..6], 70, 71, 72];
        Assert.Equal(6, await cache.EditAsync(0, edited));
        CountedModel.Compute(cache, edited);
        CountedModel.AssertHolds(cache, 0, edited);
        Assert.Equal(9, await cache.EditAsync(0, Prompt));
        CountedModel.Compute(cache, Prompt);
        CountedModel.AssertHolds(cache, 0, Prompt);
        CacheIntegrity.Check(tiers.Cache);
    }

    [Fact]
    public async Task AnEditSupersedesWhatItCut()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options, Prompt);
        CountedModel.Step(cache, Prompt);
        await cache.EditAsync(0, new[] { 1, 99 });

        // Blocks of the tokens 1 to 4, 5 to 8, and 9 and 10.
        Assert.Equal(3, tiers.Cache.Snapshot().Totals.SupersededBlocks);
    }

    [Fact]
    public async Task AForkGoesItsOwnWay()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache one = await CountedModel.AcquireAsync(tiers, Options, Prompt);
        CountedModel.Step(one, Prompt);
        using TorchKvCache other = one.Fork();
        CountedModel.Step(one, [80]);
        CountedModel.Step(other, [81]);
        CountedModel.AssertHolds(one, 0, [.. Prompt, 80]);
        CountedModel.AssertHolds(other, 0, [.. Prompt, 81]);
        Assert.Equal(one.TableOf(0).Slots[..2], other.TableOf(0).Slots[..2]);
        CacheIntegrity.Check(tiers.Cache);
    }

    [Fact]
    public async Task BeamsShareTheirPrefixAndAReorderMovesWhatTheyDifferIn()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options, Prompt);
        CountedModel.Step(cache, Prompt);
        cache.Repeat(4);
        CountedModel.Step(cache, [30], [31], [32], [33]);
        long before = cache.Totals.ReorderedBytes;
        cache.Reorder([1, 0, 1, 3]);
        Assert.Equal(4 * CountedModel.BytesPerToken, cache.Totals.ReorderedBytes - before);
        CountedModel.Step(cache, [40], [41], [42], [43]);
        int[] last = [31, 30, 31, 33];
        for (int beam = 0; beam < 4; beam++)
            CountedModel.AssertHolds(cache, beam, [.. Prompt, last[beam], 40 + beam]);

        // Two blocks of the prompt are everybody's; the third one, with two of its tokens, is full now and each beam's own.
        Assert.Equal(2 + 4, tiers.Cache.Snapshot().HeldBlocks);
        CacheIntegrity.Check(tiers.Cache);
    }

    [Fact]
    public async Task SequencesOfABatchMayBeOfDifferentLengths()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using (TorchKvCache first = await CountedModel.AcquireAsync(tiers, Options, Prompt))
        {
            CountedModel.Step(first, Prompt);
            first.Publish();
        }

        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options, [.. Prompt, 77], [5, 6]);
        Assert.Equal((10, 0), (cache.LengthOf(0), cache.LengthOf(1)));
        CountedModel.Update(cache, [77], [5]);
        using (Tensor positions = cache.Positions(1))
            Assert.Equal([10L, 0L], positions.data<long>().ToArray());
        Tensor mask = cache.AttentionMask(0)!;
        Assert.Equal([2, 1, 1, 11], mask.shape);
        Assert.Equal([.. Enumerable.Repeat(true, 11), true, .. Enumerable.Repeat(false, 10)], mask.data<bool>().ToArray());
        cache.Append([77, 5]);
        CountedModel.Step(cache, [78], [6]);
        CountedModel.AssertHolds(cache, 0, [.. Prompt, 77, 78]);
        CountedModel.AssertHolds(cache, 1, [5, 6]);
    }

    [Fact]
    public async Task ARowOfTheWrongShapeIsRefused()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options with { MaxTokens = 11 }, Prompt);
        using Tensor three = zeros(1, 3, 3, 4), two = zeros(1, 3, 2, 4), wide = zeros(1, 3, 3, 5);
        Assert.Throws<ArgumentException>(() => cache.Update(wide, wide, 0));
        Assert.Throws<ArgumentException>(() => cache.Update(three, two, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Update(three, three, 2));
        cache.Update(three, three, 0);
        Assert.Throws<InvalidOperationException>(() => cache.Update(two, two, 1));
        Assert.Throws<ArgumentException>(() => cache.Append([1, 2]));
        Assert.Contains("Layer 1 was not updated", Assert.Throws<InvalidOperationException>(() => cache.Append([1, 2, 3])).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => cache.Reorder([0]));
        cache.Crop(0);
        CountedModel.Step(cache, Prompt);
        Assert.Throws<InvalidOperationException>(() => cache.Update(two, two, 0));
    }

    [Fact]
    public async Task WhereEveryBlockIsInUseAStepCanBeAppendedLater()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync(CountedModel.Layout, hotBlocks: 4);
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options, Prompt);
        using (TorchKvCache other = await CountedModel.AcquireAsync(tiers, Options, [90, 91, 92, 93, 94]))
        {
            CountedModel.Step(other, [90, 91, 92, 93, 94]);
            CountedModel.Update(cache, Prompt);
            Assert.Throws<InvalidOperationException>(() => cache.Append(Prompt));
            Assert.Equal(0, cache.SequenceLength);
        }

        cache.Append(Prompt);
        CountedModel.AssertHolds(cache, 0, Prompt);
    }
}
