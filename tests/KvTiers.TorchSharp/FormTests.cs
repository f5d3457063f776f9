using KvTiers.Blocks;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Tests;

/// <summary>The forms of the cache's tensors, and the tiers below.</summary>
public sealed class FormTests
{
    private static readonly TorchKvCacheOptions Options = new() { MaxTokens = 24 };
    private static readonly int[] Prompt = [.. Enumerable.Range(1, 10)];

    [Fact]
    public async Task TheStaticFormHasOneShapeAndAMaskThatTellsWhatIsFilled()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options with { IsStatic = true }, Prompt);
        CountedModel.Step(cache, Prompt);
        CountedModel.AssertHolds(cache, 0, Prompt);
        using Tensor row = CountedModel.Rows([11], 10, 0, isValue: false);
        (Tensor keys, Tensor values) = cache.Update(row, row, 0);
        Assert.Equal([1, 3, 24, 4], keys.shape);
        Assert.Equal([1, 3, 24, 4], values.shape);
        Assert.Equal([.. Enumerable.Repeat(true, 11), .. Enumerable.Repeat(false, 13)], cache.AttentionMask(0)!.data<bool>().ToArray());
    }

    [Fact]
    public async Task ASlidingWindowShowsTheNewestTokensInItsLayersAlone()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options with { SlidingWindow = 3, FirstWindowedLayer = 1 }, Prompt);
        CountedModel.Step(cache, Prompt);
        using Tensor row = CountedModel.Rows([11, 12], 10, 0, isValue: false);
        (Tensor all, _) = cache.Update(row, row, 0);
        (Tensor near, _) = cache.Update(row, row, 1);
        Assert.Equal((12, 4, 0, 8), (all.size(2), near.size(2), cache.FirstPosition(0), cache.FirstPosition(1)));

        // The token at 10 sees 8, 9 and 10, that at 11 sees 9, 10 and 11.
        Assert.Equal([true, true, true, false, false, true, true, true], cache.AttentionMask(1)!.data<bool>().ToArray());
        Assert.Equal([1, 1, 2, 12], cache.AttentionMask(0)!.shape);
    }

    [Fact]
    public async Task TensorsOnADeviceAreFilledAndReadByWayOfTheHost()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync();
        TorchKvCacheOptions staged = Options with { ForceStaging = true, Device = CPU };
        using (TorchKvCache first = await CountedModel.AcquireAsync(tiers, staged, Prompt))
        {
            CountedModel.Step(first, Prompt);
            first.Publish();
        }

        using TorchKvCache direct = await CountedModel.AcquireAsync(tiers, Options, [.. Prompt, 11]);
        CountedModel.AssertHolds(direct, 0, Prompt);
        using TorchKvCache again = await CountedModel.AcquireAsync(tiers, staged, [.. Prompt, 11]);
        CountedModel.AssertHolds(again, 0, Prompt);
    }

    [Theory]
    [InlineData(KvFormat.F32, ScalarType.Float16)]
    [InlineData(KvFormat.F32, ScalarType.BFloat16)]
    [InlineData(KvFormat.BF16, ScalarType.BFloat16)]
    [InlineData(KvFormat.BF16, ScalarType.Float32)]
    public async Task TensorsMayHaveOtherElementsThanBlocks(KvFormat format, ScalarType type)
    {
        Libtorch.Require();
        var layout = new BlockLayout(2, 3, 4, format, 4);
        await using TieredCache tiers = await CountedModel.OpenAsync(layout, 64);
        TorchKvCacheOptions options = Options with { ElementType = type };
        using (TorchKvCache first = await CountedModel.AcquireAsync(tiers, options, Prompt))
        {
            CountedModel.Step(first, Prompt);
            CountedModel.AssertHolds(first, 0, Prompt);
            first.Publish();
        }

        using TorchKvCache second = await CountedModel.AcquireAsync(tiers, options, [.. Prompt, 11]);
        CountedModel.AssertHolds(second, 0, Prompt);
        Assert.Equal(type, second[0].Key.dtype);
    }

    /// <summary>What is attended to is what is kept: a row that the blocks round is rounded before attention sees it.</summary>
    [Fact]
    public async Task RowsAreRoundedToWhatTheBlocksKeep()
    {
        Libtorch.Require();
        await using TieredCache tiers = await CountedModel.OpenAsync(new BlockLayout(1, 1, 2, KvFormat.BF16, 4), 8);
        using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, Options with { ElementType = ScalarType.Float32 }, [1]);
        using Tensor row = tensor([1.00390625f, 257f], [1, 1, 1, 2]);
        (Tensor keys, _) = cache.Update(row, row, 0);
        Assert.Equal([1f, 256f], keys.contiguous().data<float>().ToArray());
    }

    [Fact]
    public void ElementsThatCannotHoldWhatTheBlocksHoldAreRefused() =>
        Assert.Contains("ElementType is Float16", Assert.Throws<ArgumentException>(() =>
            new TorchKvCacheOptions { MaxTokens = 1, ElementType = ScalarType.Float16 }.Validate(new BlockLayout(1, 1, 2, KvFormat.BF16))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 1, null, 0, "MaxTokens is 0; it must be 1 or more.")]
    [InlineData(1, 0, null, 0, "InitialTokens is 0; it must be 1 or more.")]
    [InlineData(1, 1, 0, 0, "SlidingWindow is 0; it must be 1 or more.")]
    [InlineData(1, 1, 1, -1, "FirstWindowedLayer is -1; it must be 0 or more.")]
    public void AnOptionOutOfItsRangeIsNamedWithValueAndRule(int maxTokens, int initialTokens, int? window, int firstWindowed, string message)
    {
        var options = new TorchKvCacheOptions { MaxTokens = maxTokens, InitialTokens = initialTokens, SlidingWindow = window, FirstWindowedLayer = firstWindowed };
        Assert.StartsWith(message, Assert.Throws<ArgumentException>(() => options.Validate(CountedModel.Layout)).Message, StringComparison.Ordinal);
        new TorchKvCacheOptions { MaxTokens = 1, InitialTokens = 1, SlidingWindow = 1 }.Validate(CountedModel.Layout);
    }

    [Fact]
    public async Task BlocksGoToDiskAndComeBackAfterARestart()
    {
        Libtorch.Require();
        using var folder = new TemporaryFolder();
        TierOptions Disk() => TierOptions.Disk(new DiskStoreOptions { Folder = folder.Path, CapacityBytes = 4 << 20, SegmentBytes = 1 << 20 });
        await using (TieredCache tiers = await CountedModel.OpenAsync(Disk()))
        {
            using (TorchKvCache first = await CountedModel.AcquireAsync(tiers, Options, Prompt))
            {
                CountedModel.Step(first, Prompt);
                first.Publish();
            }

            await tiers.FlushAsync(CancellationToken.None);
        }

        await using TieredCache reopened = await CountedModel.OpenAsync(Disk());
        using TorchKvCache second = await CountedModel.AcquireAsync(reopened, Options, [.. Prompt, 11]);
        CountedModel.AssertHolds(second, 0, Prompt);
    }

    /// <summary>A block goes through a tier that stores fewer bits, because another prompt needs its room, and comes back with what they are good for.</summary>
    [Theory]
    [InlineData(BlockEncoding.Float8E4M3, 0.15)]
    [InlineData(BlockEncoding.Int8, 0.02)]
    [InlineData(BlockEncoding.Int4, 0.4)]
    public async Task ATierMayQuantise(BlockEncoding encoding, double tolerance)
    {
        Libtorch.Require();
        var layout = new BlockLayout(Layers: 1, KvHeads: 1, HeadDim: 16);
        await using TieredCache tiers = await CountedModel.OpenAsync(layout, 2, TierOptions.Ram(1 << 20) with { Encoding = encoding });
        using Generator draws = manual_seed(7);
        using Tensor rows = randn([1, 1, 16, 16], generator: draws);
        int[] prompt = [.. Enumerable.Range(1, 17)];
        foreach (int[] tokens in (int[][])[prompt, [.. Enumerable.Range(101, 33)]])
        {
            using TorchKvCache cache = await CountedModel.AcquireAsync(tiers, new() { MaxTokens = 64 }, tokens);
            for (int first = 0; first < tokens.Length - 1; first += 16)
            {
                cache.Update(rows, rows, 0);
                cache.Append(tokens.AsSpan(first, 16));
            }
        }

        await tiers.DrainAsync(CancellationToken.None);
        using TorchKvCache again = await CountedModel.AcquireAsync(tiers, new() { MaxTokens = 64 }, prompt);
        Assert.Equal((16, 1), (again.SequenceLength, tiers.Promotions.LoadedBlocks));
        (Tensor keys, Tensor values) = again[0];
        foreach (Tensor loaded in (Tensor[])[keys, values])
        {
            using Tensor most = (loaded - rows).abs().max();
            Assert.InRange(most.item<float>(), 1e-6, tolerance);
        }
    }
}
