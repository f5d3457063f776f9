using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Tests;

/// <summary>No transformer: K and V of a token are numbers that tell its layer, head, dimension, position and id, so that every row can be told from every other.</summary>
internal static class CountedModel
{
    public static readonly BlockLayout Layout = new(Layers: 2, KvHeads: 3, HeadDim: 4, KvFormat.F32, BlockSize: 4);

    public static long BytesPerToken => Layout.BytesPerToken;

    public static Task<TieredCache> OpenAsync(params TierOptions[] colder) => OpenAsync(Layout, 64, colder);

    public static Task<TieredCache> OpenAsync(BlockLayout layout, int hotBlocks, params TierOptions[] colder) => TieredCache.OpenAsync(layout, new TieredCacheOptions
    {
        Hot = new KvCacheOptions { HotBlocks = hotBlocks, Prefault = false },
        Tiers = colder,
        Promotion = PromotionPolicy.Always,
    });

    public static BlockHash Root(TieredCache tiers) => tiers.RootFor("counted model"u8);

    public static Task<TorchKvCache> AcquireAsync(TieredCache tiers, TorchKvCacheOptions options, params int[][] prompts) =>
        TorchKvCache.AcquireAsync(tiers, Root(tiers), [.. prompts.Select(prompt => (ReadOnlyMemory<int>)prompt)], options);

    /// <summary>Computes what is missing of one sequence, in one step.</summary>
    public static void Compute(TorchKvCache cache, int[] tokens)
    {
        int found = cache.LengthOf(0);
        Step(cache, [tokens[found..]]);
    }

    /// <summary>One step of every sequence, with as many new tokens each.</summary>
    public static void Step(TorchKvCache cache, params int[][] tokens)
    {
        Update(cache, tokens);
        cache.Append([.. tokens.SelectMany(row => row)]);
    }

    /// <summary>A step that is not appended.</summary>
    public static void Update(TorchKvCache cache, params int[][] tokens)
    {
        for (int layer = 0; layer < cache.Layers; layer++)
        {
            using Tensor key = Batch(cache, tokens, layer, isValue: false), value = Batch(cache, tokens, layer, isValue: true);
            (Tensor keys, Tensor values) = cache.Update(key, value, layer);
            keys.Dispose();
            values.Dispose();
        }
    }

    /// <summary>[1, kvHeads, tokens, headDim]: rows of tokens that stand from a position on.</summary>
    public static Tensor Rows(ReadOnlySpan<int> tokens, int first, int layer, bool isValue)
    {
        float[] rows = new float[Layout.KvHeads * tokens.Length * Layout.HeadDim];
        for (int i = 0; i < rows.Length; i++)
        {
            int token = i / Layout.HeadDim % tokens.Length;
            rows[i] = Element(tokens[token], first + token, layer, i / Layout.HeadDim / tokens.Length, i % Layout.HeadDim, isValue);
        }

        return tensor(rows, [1, Layout.KvHeads, tokens.Length, Layout.HeadDim]);
    }

    /// <summary>Asserts that the tensors hold K and V of exactly these tokens, and the sequence names them.</summary>
    public static void AssertHolds(TorchKvCache cache, int sequence, ReadOnlySpan<int> tokens, double tolerance = 0)
    {
        Assert.Equal(tokens.ToArray(), cache.TokensOf(sequence).ToArray());
        for (int layer = 0; layer < cache.Layers; layer++)
        {
            (Tensor keys, Tensor values) = cache[layer];
            using (keys)
            using (values)
            using (Tensor expectedKeys = Rows(tokens, 0, layer, isValue: false), expectedValues = Rows(tokens, 0, layer, isValue: true))
            {
                AssertRows(keys, sequence, expectedKeys, tolerance);
                AssertRows(values, sequence, expectedValues, tolerance);
            }
        }
    }

    /// <summary>Whether two tensors have the same elements.</summary>
    public static bool AreSame(Tensor one, Tensor other)
    {
        using Tensor difference = (one - other).abs().max();
        return one.shape.SequenceEqual(other.shape) && difference.item<float>() == 0;
    }

    private static void AssertRows(Tensor actual, int sequence, Tensor expected, double tolerance)
    {
        using Tensor one = actual.narrow(0, sequence, 1), rows = one.narrow(2, 0, expected.size(2)), wide = rows.to(ScalarType.Float32);
        using Tensor difference = (wide - expected).abs().max();
        Assert.InRange(difference.item<float>(), 0, tolerance);
    }

    private static Tensor Batch(TorchKvCache cache, int[][] tokens, int layer, bool isValue)
    {
        Tensor[] rows = [.. tokens.Select((row, sequence) => Rows(row, cache.LengthOf(sequence), layer, isValue))];
        return cat(rows, 0);
    }

    // Whole numbers below 256: bfloat16 has all of them.
    private static float Element(int token, int position, int layer, int head, int dimension, bool isValue) =>
        (token * 31 + position * 17 + layer * 7 + head * 5 + dimension * 3 + (isValue ? 101 : 0)) % 251;
}
