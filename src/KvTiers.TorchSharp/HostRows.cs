using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KvTiers.Blocks;
using TorchSharp;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp;

/// <summary>Rows on their way between blocks and tensors whose memory the processor cannot read, or whose elements are others: host tensors with the blocks' elements.</summary>
internal sealed class HostRows : IDisposable
{
    private readonly BlockLayout _layout;
    private readonly int _count;
    private readonly bool _isCuda;

    public HostRows(BlockLayout layout, int count, Device? device)
    {
        _layout = layout;
        _count = count;
        _isCuda = device?.type == DeviceType.CUDA;
        Keys = Make();
        Values = Make();

        // Pinned memory is what a GPU copies from and to while the processor goes on.
        Tensor[] Make() => [.. Enumerable.Range(0, layout.Layers).Select(_ =>
        {
            Tensor rows = empty([layout.KvHeads, count, layout.HeadDim], dtype: TorchKvCacheOptions.BlockType(layout));
            if (!_isCuda)
                return rows.DetachFromDisposeScope();
            using (rows)
                return rows.pin_memory().DetachFromDisposeScope();
        })];
    }

    /// <summary>[kvHeads, count, headDim] of each layer.</summary>
    public Tensor[] Keys { get; }

    /// <summary>The same for values.</summary>
    public Tensor[] Values { get; }

    /// <summary>Where a layer's rows are.</summary>
    public RowMemory Of(int layer) => new(AddressOf(Keys[layer]), AddressOf(Values[layer]), (long)_count * _layout.HeadDim);

    /// <summary>Returns when every copy from and to the rows has been made.</summary>
    public void Wait()
    {
        if (_isCuda)
            cuda.synchronize();
    }

    public void Dispose()
    {
        foreach (Tensor rows in Keys.Concat(Values))
            rows.Dispose();
    }

    /// <summary>The first byte of a contiguous tensor in host memory.</summary>
    public static unsafe nint AddressOf(Tensor tensor)
    {
        // The first element alone: a span over all of a large tensor would be too long.
        using Tensor flat = tensor.view(-1), first = flat.narrow(0, 0, 1);
        return (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }
}
