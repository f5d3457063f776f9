using KvTiers.Blocks;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class PagedAttentionTests
{
    public static TheoryData<int, int, int, int> Shapes => new()
    {
        // heads, KV heads, headDim, window
        { 1, 1, 16, int.MaxValue },
        { 6, 2, 64, int.MaxValue },
        { 6, 2, 64, 19 },
        { 5, 5, 10, int.MaxValue },
        { 17, 1, 8, 260 },
        { 2, 1, 112, int.MaxValue },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void OutputEqualsDoublePrecisionWhateverTheCutAndThePath(int heads, int kvHeads, int headDim, int window)
    {
        const int Tokens = 290;
        foreach (KvFormat format in (KvFormat[])[KvFormat.F32, KvFormat.BF16])
        {
            BlockLayout layout = new(2, kvHeads, headDim, format);
            int columns = (heads + 2 * kvHeads) * headDim;
            using NativeBuffer qkv = KernelPathData.Random(Tokens * columns, 5);
            double[] expected = Reference(qkv, Tokens, heads, kvHeads, headDim, window, format);
            float[]? first = null;
            foreach (KernelPath path in KernelPathData.Supported)
            {
                foreach (int chunk in (int[])(path == KernelPath.Plain ? [Tokens] : [Tokens, 61, 1]))
                {
                    float[] actual = Run(layout, qkv, Tokens, heads, window, path, chunk);
                    KernelPathData.AssertSameBits(first ??= actual, actual);
                }
            }
            Assert.True(first!.Zip(expected, (a, b) => Math.Abs(a - b)).Max() < 3e-6);
        }
    }

    [Theory]
    [InlineData(6, 2, 64, int.MaxValue)]
    [InlineData(4, 4, 10, 19)]
    public void ScoresAreScaledAndCappedAsTheModelSays(int heads, int kvHeads, int headDim, int window)
    {
        const int Tokens = 290;
        const float Scale = 0.4f, Cap = 1.5f;
        BlockLayout layout = new(2, kvHeads, headDim, KvFormat.F32);
        using NativeBuffer qkv = KernelPathData.Random(Tokens * (heads + 2 * kvHeads) * headDim, 5);
        double[] expected = Reference(qkv, Tokens, heads, kvHeads, headDim, window, KvFormat.F32, Scale, Cap);
        float[]? first = null;
        foreach (KernelPath path in KernelPathData.Supported)
        {
            foreach (int chunk in (int[])(path == KernelPath.Plain ? [Tokens] : [Tokens, 61, 1]))
            {
                float[] actual = Run(layout, qkv, Tokens, heads, window, path, chunk, scale: Scale, cap: Cap);
                KernelPathData.AssertSameBits(first ??= actual, actual);
            }
        }
        Assert.True(first!.Zip(expected, (a, b) => Math.Abs(a - b)).Max() < 3e-6);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(700)]
    public void RowsThatManyThreadsShareHaveTheBitsOfThoseThatOneThreadComputes(int window)
    {
        const int Tokens = 1100, Heads = 6;
        BlockLayout layout = new(2, 2, 16, KvFormat.BF16);
        using NativeBuffer qkv = KernelPathData.Random(Tokens * (Heads + 4) * 16, 6);
        float[] whole = Run(layout, qkv, Tokens, Heads, window, KernelPaths.Widest, Tokens, threads: 1);
        foreach (int threads in (int[])[1, 2, 3, 5])
        {
            foreach (int chunk in (int[])[1, 40])
                KernelPathData.AssertSameBits(whole, Run(layout, qkv, Tokens, Heads, window, KernelPaths.Widest, chunk, threads));
        }
    }

    [Fact]
    public void OnlyBlocksOfSixteenAreTaken()
    {
        using ThreadTeam team = new(1);

        Assert.Throws<ArgumentException>(() => new PagedAttention(team, KernelPath.Plain, new BlockLayout(1, 1, 16, KvFormat.F32, 8), 1));
        Assert.Throws<ArgumentException>(() => new PagedAttention(team, KernelPath.Plain, new BlockLayout(1, 2, 16), 3));
    }

    private static float[] Run(BlockLayout layout, NativeBuffer qkv, int tokens, int heads, int window, KernelPath path, int chunk, int threads = 2, float? scale = null, float? cap = null)
    {
        const int Layer = 1;
        int columns = (heads + 2 * layout.KvHeads) * layout.HeadDim, width = heads * layout.HeadDim;
        using ThreadTeam team = new(threads);
        using BlockPool pool = new(layout, layout.BlocksFor(tokens));
        BlockTable table = new();
        while (pool.TryAllocate(out int slot))
        {
            pool.Bytes(slot).Fill(0xFF);
            table.Append(slot, pool.Address(slot));
        }
        using NativeBuffer output = new((tokens * width + 32) * sizeof(float));
        using PagedAttention attention = new(team, path, layout, heads, scale, cap);
        KvWriter writer = new(team, path, layout);
        StepRows rows = new(tokens, PagedAttention.RowsPerTile(heads / layout.KvHeads));
        using StepBatch batch = new(layout, 1);
        for (int start = 0; start < tokens; start += chunk)
        {
            int count = Math.Min(chunk, tokens - start);
            batch.Clear();
            batch.Add(table, new int[count], start, 0);
            rows.Set(batch.TokenIds, batch.Segments, 0, count);
            float* queries = qkv.Floats + start * columns;
            float* keys = queries + width;
            writer.Run(rows, Layer, keys, keys + layout.KvHeads * layout.HeadDim, columns);
            attention.Run(rows, Layer, window, queries, columns, output.Floats + start * width);
        }
        return KernelPathData.ToArray(output, tokens * width);
    }

    private static double[] Reference(NativeBuffer qkv, int tokens, int heads, int kvHeads, int headDim, int window, KvFormat format, double? scale = null, double? cap = null)
    {
        int columns = (heads + 2 * kvHeads) * headDim, group = heads / kvHeads;
        double[] output = new double[tokens * heads * headDim];
        double[] weights = new double[tokens];
        for (int position = 0; position < tokens; position++)
        {
            int first = (int)Math.Max(0, (long)position - window + 1);
            for (int head = 0; head < heads; head++)
            {
                double total = 0;
                for (int t = first; t <= position; t++)
                {
                    double score = 0;
                    for (int d = 0; d < headDim; d++)
                        score += qkv.Floats[position * columns + head * headDim + d] * Element(t, heads + head / group, d);
                    score *= scale ?? 1 / Math.Sqrt(headDim);
                    weights[t] = Math.Exp(cap is double most ? most * Math.Tanh(score / most) : score);
                    total += weights[t];
                }
                for (int t = first; t <= position; t++)
                {
                    for (int d = 0; d < headDim; d++)
                        output[(position * heads + head) * headDim + d] += weights[t] / total * Element(t, heads + kvHeads + head / group, d);
                }
            }
        }
        return output;

        double Element(int token, int head, int d)
        {
            float value = qkv.Floats[token * columns + head * headDim + d];
            return format == KvFormat.F32 ? value : BFloat16.Widen(BFloat16.Round(value));
        }
    }
}
