using KvTiers.Blocks;
using KvTiers.Inference.Model;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Models;

/// <summary>K and V in the blocks of a sequence that belongs to the scheduler, for one step.</summary>
/// <remarks>What is attended to is what is kept: where blocks hold bfloat16, the newest rows are rounded before attention reads them.</remarks>
internal sealed class BlockPast(ModelConfig config, BlockLayout layout, BlockTable table, int start) : Past
{
    private int _count;

    public override int Batch => 1;

    public override int Length => start;

    public override long CopiedBytes => 0;

    // In the layer's dispose scope: gone when the layer is computed.
    public override (Tensor Key, Tensor Value) Update(Tensor key, Tensor value, int layer)
    {
        _count = (int)key.size(2);
        long[] shape = [1, layout.KvHeads, start + _count, layout.HeadDim];
        ScalarType type = TorchKvCacheOptions.BlockType(layout);
        Tensor keys = empty(shape, dtype: type), values = empty(shape, dtype: type);
        BlockRows.Read(layout, table, layer, 0, start, RowsFrom(0));
        keys.narrow(2, start, _count).copy_(key);
        values.narrow(2, start, _count).copy_(value);
        BlockRows.Write(layout, table, layer, start, _count, RowsFrom(start));
        return (keys.to(ScalarType.Float32), values.to(ScalarType.Float32));

        RowMemory RowsFrom(int row)
        {
            nint offset = row * layout.HeadDim * layout.BytesPerElement;
            return new RowMemory(HostRows.AddressOf(keys) + offset, HostRows.AddressOf(values) + offset, (long)(start + _count) * layout.HeadDim);
        }
    }

    public override Tensor? Mask(int layer)
    {
        int window = config.WindowOf(layer);
        if (_count == 1 && window > start)
            return null;
        using Tensor all = ones([1, 1, _count, start + _count], dtype: ScalarType.Bool);
        Tensor past = all.tril(start);
        return window < start + _count ? past.logical_and(all.triu(start + 1 - window)) : past;
    }

    public override Tensor Positions(int count) => TokenPositions.Of(start, start + count).unsqueeze(0);

    public override void Append(ReadOnlySpan<int> tokens)
    {
    }

    public override void Dispose()
    {
    }
}
