using KvTiers.Blocks;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp;

/// <summary>Tensors of blocks, [rows, kvHeads, blockSize, headDim] a layer: each block of the cache that a sequence holds has one row, however many hold it.</summary>
/// <remarks>A slot of the pool keeps its contents while a lease holds it, so a row is filled once, when its slot is first held, and is free when nobody holds it any more.</remarks>
internal sealed class BlockArena : IDisposable
{
    private readonly Dictionary<int, (int Row, int Holders)> _rows = [];
    private readonly Stack<int> _free = new();
    private readonly BlockLayout _layout;
    private readonly Tensor[] _tensors;
    private readonly nint[] _addresses;
    private int _capacity;

    public BlockArena(BlockLayout layout)
    {
        _layout = layout;
        _tensors = new Tensor[2 * layout.Layers];
        _addresses = new nint[2 * layout.Layers];
    }

    public long LoadedBytes { get; private set; }

    public long GrownBytes { get; private set; }

    public long Allocations { get; private set; }

    /// <summary>Rows in use.</summary>
    public int Count => _rows.Count;

    /// <summary>[rows, kvHeads, blockSize, headDim] of a layer.</summary>
    public Tensor Keys(int layer) => _tensors[layer];

    /// <summary>The same of its values.</summary>
    public Tensor Values(int layer) => _tensors[_layout.Layers + layer];

    /// <summary>The row of a slot that is held.</summary>
    public int RowOf(int slot) => _rows[slot].Row;

    /// <summary>Holds one entry of a table, and fills its row when nobody held it.</summary>
    /// <param name="table">The table.</param>
    /// <param name="block">The entry.</param>
    /// <param name="tokens">Tokens of the block that are computed.</param>
    public void Hold(BlockTable table, int block, int tokens)
    {
        int slot = table.Slots[block];
        if (_rows.TryGetValue(slot, out (int Row, int Holders) held))
        {
            _rows[slot] = (held.Row, held.Holders + 1);
            return;
        }

        if (_free.Count == 0)
            Grow(Math.Max(16, 2 * _capacity));
        int row = _free.Pop();
        _rows[slot] = (row, 1);
        for (int layer = 0; layer < _layout.Layers && tokens > 0; layer++)
            BlockRows.Read(_layout, table, layer, block * _layout.BlockSize, tokens, MemoryOf(layer, row, 0));
        LoadedBytes += (long)tokens * _layout.BytesPerToken;
    }

    /// <summary>Ends one hold of a slot.</summary>
    public void Release(int slot)
    {
        (int row, int holders) = _rows[slot];
        if (holders > 1)
        {
            _rows[slot] = (row, holders - 1);
            return;
        }

        _rows.Remove(slot);
        _free.Push(row);
    }

    /// <summary>Where a token of a row is in a layer.</summary>
    public RowMemory MemoryOf(int layer, int row, int token)
    {
        long headStride = (long)_layout.BlockSize * _layout.HeadDim;
        nint offset = (nint)((row * _layout.KvHeads * headStride + (long)token * _layout.HeadDim) * _layout.BytesPerElement);
        return new RowMemory(_addresses[layer] + offset, _addresses[_layout.Layers + layer] + offset, headStride);
    }

    public void Dispose()
    {
        foreach (Tensor? tensor in _tensors)
            tensor?.Dispose();
    }

    // Zeros: what attention reads past a sequence's end is masked, and zero times it must be zero.
    private void Grow(int capacity)
    {
        for (int i = 0; i < _tensors.Length; i++)
        {
            Tensor? old = _tensors[i];
            _tensors[i] = zeros([capacity, _layout.KvHeads, _layout.BlockSize, _layout.HeadDim], dtype: TorchKvCacheOptions.BlockType(_layout)).DetachFromDisposeScope();
            _addresses[i] = HostRows.AddressOf(_tensors[i]);
            if (old is null)
                continue;
            using (old)
            using (Tensor target = _tensors[i].narrow(0, 0, _capacity))
                target.copy_(old);
        }

        Allocations += _tensors.Length;
        GrownBytes += (long)_capacity * _layout.BlockSize * _layout.BytesPerToken;
        for (int row = capacity - 1; row >= _capacity; row--)
            _free.Push(row);
        _capacity = capacity;
    }
}
