using System.Runtime.CompilerServices;
using KvTiers.Blocks;

namespace KvTiers.Inference.Kernels;

/// <summary>Query tokens attend over their sequences' keys and values, read in place through the block tables.</summary>
/// <remarks>
/// Query head h reads KV head h / (heads / kvHeads); the query heads of one KV head, over neighbouring rows, are computed together: a single
/// row reads K and V in place, many rows read them as floats that are written down once.
/// A score is scaled, then capped where the model caps it. A sequence is cut into chunks of 256 positions, counted from its start. Within a chunk: scores, greatest score m, weights
/// e^(score − m), their sum l (16 lanes, block by block, then a tree), the weighted sum o of the values (one chain over the tokens).
/// Chunks are folded left to right into running m, l and o. Where there are few rows and many positions, the chunks are computed by all
/// threads side by side, and whoever ends the last of a head folds them, in the same order. All of it depends on a token's position only, so a token's output has
/// the same bits whatever chunk of its prompt it arrives in and whatever else is in the step.
/// </remarks>
internal sealed unsafe partial class PagedAttention : ITeamJob, IDisposable
{
    /// <summary>Tokens of a block that the kernels read: one vector of keys.</summary>
    public const int BlockSize = 16;

    private const int ChunkTokens = 256;
    private const int ChunkBlocks = ChunkTokens / BlockSize;
    private const int TileQueries = 192;
    private readonly ThreadTeam _team;
    private readonly KernelPath _path;
    private readonly BlockLayout _layout;
    private readonly int _group;
    private readonly int _paddedDim;
    private readonly int _mostQueries;
    private readonly float _scale;
    private readonly float? _cap;
    private readonly NativeBuffer[] _scratch;
    private StepRows _rows = null!;
    private int _layer;
    private int _window;
    private float* _queries;
    private int _queryStride;
    private float* _output;

    /// <summary>Creates the op.</summary>
    /// <param name="team">The threads.</param>
    /// <param name="path">The instruction set.</param>
    /// <param name="layout">The layout of the blocks; its block size is 16.</param>
    /// <param name="heads">Query heads, a multiple of the layout's KV heads.</param>
    /// <param name="scale">Factor on every product of a query and a key; null for 1 / √headDim.</param>
    /// <param name="cap">Scores become cap · tanh(score / cap); null leaves them.</param>
    /// <exception cref="ArgumentException">The block size is not 16, or the heads do not divide.</exception>
    public PagedAttention(ThreadTeam team, KernelPath path, BlockLayout layout, int heads, float? scale = null, float? cap = null)
    {
        if (layout.BlockSize != BlockSize)
            throw new ArgumentException($"BlockSize is {layout.BlockSize} but attention reads blocks of {BlockSize} tokens.", nameof(layout));
        if (heads % layout.KvHeads != 0)
            throw new ArgumentException($"{heads} query heads do not divide among {layout.KvHeads} KV heads.", nameof(heads));
        _team = team;
        _path = path;
        _layout = layout;
        _group = heads / layout.KvHeads;
        _paddedDim = (layout.HeadDim + 15) & ~15;
        _mostQueries = RowsPerTile(_group) * _group;
        _scale = scale ?? 1f / MathF.Sqrt(layout.HeadDim);
        _cap = cap;
        _split = new SplitJob(this);
        _mostSplitHeads = SplitHeadsPerThread * team.ThreadCount;
        _partsLeft = new int[_mostSplitHeads];
        _firstParts = new int[_mostSplitHeads + 1];
        _partials = new NativeBuffer((long)LeastPartials * _group * (_paddedDim + 2) * sizeof(float));
        _scratch = new NativeBuffer[team.ThreadCount];
        long floats = Scratch.FloatCount(_mostQueries, _paddedDim);
        for (int i = 0; i < _scratch.Length; i++)
            _scratch[i] = new NativeBuffer(floats * sizeof(float) + (long)_mostQueries * sizeof(float*));
    }

    /// <summary>Neighbouring rows that are computed together when each KV head serves <paramref name="group"/> query heads.</summary>
    public static int RowsPerTile(int group) => Math.Max(1, TileQueries / group);

    /// <summary>Attends in one layer. K and V of every row are in their blocks already.</summary>
    /// <param name="rows">Where the rows stand.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="window">Tokens attended to at most, the row's own included.</param>
    /// <param name="queries">[rows, queryStride], of which the first heads · headDim elements are queries.</param>
    /// <param name="queryStride">Elements from row to row of the queries.</param>
    /// <param name="output">[rows, heads · headDim].</param>
    public void Run(StepRows rows, int layer, int window, float* queries, int queryStride, float* output)
    {
        _rows = rows;
        _layer = layer;
        _window = window;
        _queries = queries;
        _queryStride = queryStride;
        _output = output;
        if (TrySplit(out int parts))
            _team.Run(_split, parts);
        else
            _team.Run(this, rows.TileCount * _layout.KvHeads);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NativeBuffer scratch in _scratch)
            scratch.Dispose();
        _partials.Dispose();
    }

    void ITeamJob.Run(int chunk, int worker)
    {
        // The last rows of a prompt see most, and begin first, so that all threads end together.
        (int tile, int head) = Math.DivRem(chunk, _layout.KvHeads);
        tile = _rows.TileCount - 1 - tile;
        switch (_path)
        {
            case KernelPath.Avx512:
                Attend<Lanes512>(_rows.Tiles[tile], head, worker);
                break;
            case KernelPath.Avx2:
                Attend<Lanes256>(_rows.Tiles[tile], head, worker);
                break;
            default:
                Attend<LanesPlain>(_rows.Tiles[tile], head, worker);
                break;
        }
    }

    private void Attend<TLanes>(AttentionTile tile, int head, int worker)
        where TLanes : struct, ILanes<TLanes>
    {
        if (_layout.Format == KvFormat.F32)
            Attend<TLanes, KvElementsF32>(tile, head, worker);
        else
            Attend<TLanes, KvElementsBF16>(tile, head, worker);
    }

    private void Attend<TLanes, TElements>(AttentionTile tile, int head, int worker)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        Scratch scratch = new(_scratch[worker].Floats, _mostQueries, _paddedDim);
        int count = Begin(scratch, tile, head);
        new Span<float>(scratch.Total, count).Clear();
        for (int start = FirstChunk(tile) * ChunkTokens; start < tile.Position + tile.RowCount; start += ChunkTokens)
        {
            ComputeChunk<TLanes, TElements>(scratch, tile, head, count, start);
            Fold<TLanes>(scratch, count, scratch.ChunkGreatest, scratch.ChunkTotal, scratch.ChunkSums);
        }
        StoreAll<TLanes>(scratch, tile, head, count);
    }

    // Where the tile's queries of one head are; how many there are.
    private int Begin(in Scratch scratch, AttentionTile tile, int head)
    {
        int count = tile.RowCount * _group;
        float* row = _queries + (long)tile.FirstRow * _queryStride + head * _group * _layout.HeadDim;
        for (int i = 0; i < count; row += _queryStride)
        {
            for (int member = 0; member < _group; member++, i++)
                scratch.Queries[i] = row + member * _layout.HeadDim;
        }
        if (IsWide(tile))
            PackQueries(scratch, count);
        return count;
    }

    // The chunk that the first position attended to lies in.
    private int FirstChunk(AttentionTile tile) => Math.Max(0, tile.Position - _window + 1) / ChunkTokens;

    // Greatest score, sum of weights and weighted values of the chunk that begins at a position, for every query.
    private void ComputeChunk<TLanes, TElements>(in Scratch scratch, AttentionTile tile, int head, int count, int start)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        if (IsWide(tile))
        {
            ComputeWideChunk<TLanes, TElements>(scratch, tile, head, count, start);
            return;
        }
        byte** keys = stackalloc byte*[ChunkBlocks];
        byte** values = stackalloc byte*[ChunkBlocks];
        int lastPosition = tile.Position + tile.RowCount - 1;
        int firstPosition = Math.Max(0, tile.Position - _window + 1);
        int first = Math.Max(0, firstPosition - start), last = Math.Min(ChunkTokens, lastPosition + 1 - start);
        int firstBlock = first / BlockSize, blocks = (last + BlockSize - 1) / BlockSize;
        ReadOnlySpan<nint> addresses = tile.Table.Addresses.Slice(start / BlockSize, blocks);
        for (int block = 0; block < ChunkBlocks; block++)
        {
            byte* address = (byte*)addresses[Math.Min(block, blocks - 1)];
            keys[block] = address + _layout.KeyOffset(_layer, head);
            values[block] = address + _layout.ValueOffset(_layer, head);
        }

        // The last group of four blocks may begin early or reach past the end: those scores are masked below.
        for (int block = Math.Min(firstBlock, ChunkBlocks - 4); block < blocks; block += 4)
        {
            int group = Math.Min(block, ChunkBlocks - 4), next = Math.Min(group + 4, ChunkBlocks - 4);
            Score<TLanes, TElements>(scratch, count, keys + group, keys + next, values + group, group);
        }
        Weigh<TLanes>(scratch, tile, 0, count, scratch.Scores, first, last, start);
        SumValues<TLanes, TElements>(scratch, count, values, first, last);
    }

    private void StoreAll<TLanes>(in Scratch scratch, AttentionTile tile, int head, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        int headDim = _layout.HeadDim, rowStride = _layout.KvHeads * _group * headDim;
        float* row = _output + (long)tile.FirstRow * rowStride + head * _group * headDim, sums = scratch.Sums;
        for (int i = 0; i < count; row += rowStride)
        {
            for (int member = 0; member < _group; member++, i++, sums += _paddedDim)
                Store<TLanes>(sums, scratch.Total[i], row + member * headDim);
        }
    }

    // Folds a chunk into the running results of the queries. What a query has not seen anything for is not yet set.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Fold<TLanes>(in Scratch scratch, int count, float* chunkGreatest, float* chunkTotal, float* chunkSums)
        where TLanes : struct, ILanes<TLanes>
    {
        int paddedDim = _paddedDim;
        float* sums = scratch.Sums;
        for (int query = 0; query < count; query++, sums += paddedDim, chunkSums += paddedDim)
        {
            float chunk = chunkGreatest[query], chunkWeights = chunkTotal[query], before = scratch.Greatest[query];
            if (chunkWeights == 0)
                continue;
            if (scratch.Total[query] == 0)
            {
                scratch.Greatest[query] = chunk;
                scratch.Total[query] = chunkWeights;
                for (int d = 0; d < paddedDim; d += 16)
                    TLanes.Store(TLanes.Load(chunkSums + d), sums + d);
                continue;
            }
            float greatest = before > chunk ? before : chunk;
            TLanes old = Exponential.Of(TLanes.Broadcast(before - greatest));
            TLanes added = Exponential.Of(TLanes.Broadcast(chunk - greatest));
            TLanes total = TLanes.Fma(TLanes.Broadcast(chunkWeights), added, TLanes.Broadcast(scratch.Total[query]) * old);
            scratch.Total[query] = TLanes.Largest(total); // All lanes are the same.
            scratch.Greatest[query] = greatest;
            for (int d = 0; d < paddedDim; d += 16)
                TLanes.Store(TLanes.Fma(TLanes.Load(chunkSums + d), added, TLanes.Load(sums + d) * old), sums + d);
        }
    }

    private void Store<TLanes>(float* sums, float total, float* output)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes divisor = TLanes.Broadcast(total);
        int whole = _layout.HeadDim & -16;
        for (int d = 0; d < whole; d += 16)
            TLanes.Store(TLanes.Load(sums + d) / divisor, output + d);
        if (whole < _layout.HeadDim)
            LaneTail.Store(TLanes.Load(sums + whole) / divisor, output + whole, _layout.HeadDim - whole);
    }
}
