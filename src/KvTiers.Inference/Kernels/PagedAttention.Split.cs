using KvTiers.Blocks;

namespace KvTiers.Inference.Kernels;

/// <content>Few rows over many positions: each chunk of each head is a piece of work of its own, so that all threads have some.</content>
internal sealed unsafe partial class PagedAttention
{
    private const int SplitHeadsPerThread = 8;
    private const int SplitWideHeadsPerThread = 2;
    private const int LeastPartials = 64;

    private readonly SplitJob _split;
    private readonly int _mostSplitHeads;

    // Per tile and head: chunks not yet computed. Per tile: the number of its first part.
    private readonly int[] _partsLeft;
    private readonly int[] _firstParts;
    private NativeBuffer _partials;

    private int _partQueries;

    /// <summary>Floats of a part: greatest score and sum of weights of every query, then their weighted values.</summary>
    private int PartFloats => _partQueries * (_paddedDim + 2);

    // A part is a chunk of a head of a tile; parts go tile by tile, chunk by chunk, head by head, which is the order in memory.
    private bool TrySplit(out int parts)
    {
        parts = 0;
        int tiles = _rows.TileCount, heads = _layout.KvHeads;
        if (_team.ThreadCount == 1 || tiles * heads > _mostSplitHeads)
            return false;
        bool isWide = false;
        _partQueries = 0;
        foreach (AttentionTile tile in _rows.Tiles)
        {
            isWide |= IsWide(tile);
            _partQueries = Math.Max(_partQueries, tile.RowCount * _group);
        }
        if (isWide && tiles * heads > SplitWideHeadsPerThread * _team.ThreadCount)
            return false;
        for (int tile = 0; tile < tiles; tile++)
        {
            int chunks = Chunks(_rows.Tiles[tile]);
            _firstParts[tile] = parts;
            parts += chunks * heads;
            new Span<int>(_partsLeft, tile * heads, heads).Fill(chunks);
        }
        _firstParts[tiles] = parts;
        if (parts == tiles * heads)
            return false;
        long bytes = (long)parts * PartFloats * sizeof(float);
        if (_partials.ByteCount < bytes)
        {
            _partials.Dispose();
            _partials = new NativeBuffer(2 * bytes);
        }
        return true;
    }

    private int Chunks(AttentionTile tile) => (tile.Position + tile.RowCount - 1) / ChunkTokens - FirstChunk(tile) + 1;

    private float* Part(int part) => _partials.Floats + (long)part * PartFloats;

    private void ComputePart<TLanes, TElements>(int part, int worker)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        int index = 0;
        while (_firstParts[index + 1] <= part)
            index++;
        AttentionTile tile = _rows.Tiles[index];
        (int chunk, int head) = Math.DivRem(part - _firstParts[index], _layout.KvHeads);
        Scratch scratch = new(_scratch[worker].Floats, _mostQueries, _paddedDim);
        int count = Begin(scratch, tile, head);
        ComputeChunk<TLanes, TElements>(scratch, tile, head, count, (FirstChunk(tile) + chunk) * ChunkTokens);
        float* target = Part(part);
        new ReadOnlySpan<float>(scratch.ChunkGreatest, count).CopyTo(new Span<float>(target, count));
        new ReadOnlySpan<float>(scratch.ChunkTotal, count).CopyTo(new Span<float>(target + _partQueries, count));
        new ReadOnlySpan<float>(scratch.ChunkSums, count * _paddedDim).CopyTo(new Span<float>(target + 2 * _partQueries, count * _paddedDim));
        if (Interlocked.Decrement(ref _partsLeft[index * _layout.KvHeads + head]) == 0)
            FoldParts<TLanes>(scratch, index, tile, head, count);
    }

    // Left to right, as the chunks of a head that is not split are folded.
    private void FoldParts<TLanes>(in Scratch scratch, int index, AttentionTile tile, int head, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        new Span<float>(scratch.Total, count).Clear();
        for (int part = _firstParts[index] + head; part < _firstParts[index + 1]; part += _layout.KvHeads)
        {
            float* source = Part(part);
            Fold<TLanes>(scratch, count, source, source + _partQueries, source + 2 * _partQueries);
        }
        StoreAll<TLanes>(scratch, tile, head, count);
    }

    private sealed class SplitJob(PagedAttention owner) : ITeamJob
    {
        public void Run(int part, int worker)
        {
            switch (owner._path)
            {
                case KernelPath.Avx512:
                    Compute<Lanes512>(part, worker);
                    break;
                case KernelPath.Avx2:
                    Compute<Lanes256>(part, worker);
                    break;
                default:
                    Compute<LanesPlain>(part, worker);
                    break;
            }
        }

        private void Compute<TLanes>(int part, int worker)
            where TLanes : struct, ILanes<TLanes>
        {
            if (owner._layout.Format == KvFormat.F32)
                owner.ComputePart<TLanes, KvElementsF32>(part, worker);
            else
                owner.ComputePart<TLanes, KvElementsBF16>(part, worker);
        }
    }
}
