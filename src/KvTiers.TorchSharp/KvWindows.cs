using KvTiers.Blocks;
using TorchSharp;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp;

/// <summary>The tensors that attention reads: K and V of each layer, [batch, kvHeads, capacity, headDim], of which rows are written and nothing is moved.</summary>
internal sealed class KvWindows : IDisposable
{
    private readonly BlockLayout _layout;
    private readonly TorchKvCacheOptions _options;
    private readonly ScalarType _type;
    private readonly bool _isRounded;
    private readonly bool _isStaged;
    private Tensor[] _keys;
    private Tensor[] _values;
    private nint[] _addresses = [];

    public KvWindows(BlockLayout layout, TorchKvCacheOptions options, int batch, int tokens)
    {
        _layout = layout;
        _options = options;
        _type = options.TypeFor(layout);
        ScalarType blocks = TorchKvCacheOptions.BlockType(layout);

        // What attention reads must be what the blocks keep, or a sequence would go on otherwise after a restart.
        _isRounded = blocks == ScalarType.BFloat16 && _type != blocks;
        _isStaged = options.ForceStaging || _type != blocks || options.Device is { } device && device.type != DeviceType.CPU;
        Batch = batch;
        Capacity = options.IsStatic ? options.MaxTokens : Math.Min(options.MaxTokens, Math.Max(tokens, options.InitialTokens));
        (_keys, _values) = Allocate(batch, Capacity);
        FindAddresses();
    }

    /// <summary>Sequences.</summary>
    public int Batch { get; private set; }

    /// <summary>Rows of each tensor.</summary>
    public int Capacity { get; private set; }

    /// <summary>Bytes of K and V of one token, over all layers.</summary>
    public long BytesPerToken => 2L * _layout.Layers * BytesPerRow;

    public long UpdatedBytes { get; private set; }

    public long StoredBytes { get; private set; }

    public long LoadedBytes { get; private set; }

    public long ReorderedBytes { get; private set; }

    public long GrownBytes { get; private set; }

    public long Allocations { get; private set; }

    private long BytesPerRow => (long)_layout.KvHeads * _layout.HeadDim * (_type == ScalarType.Float32 ? 4 : 2);

    /// <summary>One layer's keys and values from row <paramref name="first"/> to <paramref name="end"/>: views, which the caller disposes.</summary>
    public (Tensor Key, Tensor Value) View(int layer, int first, int end) => (_keys[layer].narrow(2, first, end - first), _values[layer].narrow(2, first, end - first));

    /// <summary>Makes room for so many tokens of every sequence; what is held of them stays.</summary>
    public void Reserve(int tokens, int held)
    {
        if (tokens <= Capacity)
            return;
        Replace(Batch, (int)Math.Min(_options.MaxTokens, Math.Max(tokens, 2L * Capacity)), (old, target) =>
        {
            using Tensor from = old.narrow(2, 0, held), to = target.narrow(2, 0, held);
            to.copy_(from);
        });
        GrownBytes += (long)Batch * held * BytesPerToken;
    }

    /// <summary>Repeats every sequence, each <paramref name="count"/> times in a row.</summary>
    public void Repeat(int count, int held)
    {
        Replace(Batch * count, Capacity, (old, target) =>
        {
            using Tensor from = old.narrow(2, 0, held), repeated = from.repeat_interleave(count, 0), to = target.narrow(2, 0, held);
            to.copy_(repeated);
        });
        ReorderedBytes += (long)Batch * held * BytesPerToken;
    }

    /// <summary>Another set of windows with the same rows.</summary>
    public KvWindows Copy(int held)
    {
        var copy = new KvWindows(_layout, _options, Batch, Math.Max(held, Capacity));
        for (int layer = 0; layer < _layout.Layers; layer++)
        {
            copy.Take(_keys[layer], copy._keys[layer], held);
            copy.Take(_values[layer], copy._values[layer], held);
        }

        copy.ReorderedBytes += (long)Batch * held * BytesPerToken;
        return copy;
    }

    /// <summary>Writes new rows of one sequence, or of all when they stand at the same place.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="key">[batch, kvHeads, count, headDim].</param>
    /// <param name="value">The same.</param>
    /// <param name="first">The row that the first of them goes to.</param>
    /// <param name="sequence">The sequence; null for all.</param>
    public void Write(int layer, Tensor key, Tensor value, int first, int? sequence)
    {
        long count = key.size(2);
        Write(_keys[layer], key, first, count, sequence);
        Write(_values[layer], value, first, count, sequence);
        UpdatedBytes += (sequence is null ? Batch : 1) * count * 2 * BytesPerRow;
    }

    /// <summary>Puts sequence <paramref name="from"/>[i] in place i, where both have the same rows up to <paramref name="first"/>.</summary>
    public void Reorder(ReadOnlySpan<int> from, int first, int end)
    {
        if (end <= first)
            return;
        long[] rows = new long[from.Length];
        for (int i = 0; i < rows.Length; i++)
            rows[i] = from[i];
        using Tensor index = tensor(rows, device: _options.Device);
        foreach (Tensor[] tensors in (Tensor[][])[_keys, _values])
        {
            foreach (Tensor window in tensors)
            {
                using Tensor tail = window.narrow(2, first, end - first), moved = tail.index_select(0, index);
                tail.copy_(moved);
            }
        }

        ReorderedBytes += (long)Batch * (end - first) * BytesPerToken;
    }

    /// <summary>Copies rows from blocks, as they were found.</summary>
    public void Load(int sequence, BlockTable table, int first, int end)
    {
        if (end <= first)
            return;
        using var staging = _isStaged ? new HostRows(_layout, end - first, _options.Device) : null;
        for (int layer = 0; layer < _layout.Layers; layer++)
        {
            BlockRows.Read(_layout, table, layer, first, end - first, staging?.Of(layer) ?? RowsOf(layer, sequence, first));
            if (staging is null)
                continue;
            Exchange(layer, sequence, first, end, (rows, key, value) =>
            {
                rows.Key.copy_(key, nonBlocking: true);
                rows.Value.copy_(value, nonBlocking: true);
            }, staging);
        }

        staging?.Wait();
        LoadedBytes += (end - first) * BytesPerToken;
    }

    /// <summary>Copies rows into blocks, which are the sequence's alone.</summary>
    public void Store(int sequence, BlockTable table, int first, int end)
    {
        using var staging = _isStaged ? new HostRows(_layout, end - first, _options.Device) : null;
        for (int layer = 0; layer < _layout.Layers && staging is not null; layer++)
        {
            Exchange(layer, sequence, first, end, (rows, key, value) =>
            {
                key.copy_(rows.Key, nonBlocking: true);
                value.copy_(rows.Value, nonBlocking: true);
            }, staging);
        }

        staging?.Wait();
        for (int layer = 0; layer < _layout.Layers; layer++)
            BlockRows.Write(_layout, table, layer, first, end - first, staging?.Of(layer) ?? RowsOf(layer, sequence, first));
        StoredBytes += (end - first) * BytesPerToken;
    }

    public void Dispose()
    {
        foreach (Tensor window in _keys.Concat(_values))
            window.Dispose();
    }

    private void Exchange(int layer, int sequence, int first, int end, Action<(Tensor Key, Tensor Value), Tensor, Tensor> copy, HostRows staging)
    {
        using Tensor keys = _keys[layer].select(0, sequence), values = _values[layer].select(0, sequence);
        using Tensor keyRows = keys.narrow(1, first, end - first), valueRows = values.narrow(1, first, end - first);
        copy((keyRows, valueRows), staging.Keys[layer], staging.Values[layer]);
    }

    private void Write(Tensor window, Tensor rows, int first, long count, int? sequence)
    {
        using Tensor? rounded = _isRounded ? rows.to(ScalarType.BFloat16) : null;
        using Tensor target = window.narrow(2, first, count);
        if (sequence is not { } one)
        {
            target.copy_(rounded ?? rows);
            return;
        }

        using Tensor to = target.narrow(0, one, 1), from = (rounded ?? rows).narrow(0, one, 1);
        to.copy_(from);
    }

    private void Take(Tensor source, Tensor target, int held)
    {
        using Tensor from = source.narrow(2, 0, held), to = target.narrow(2, 0, held);
        to.copy_(from);
    }

    private void Replace(int batch, int capacity, Action<Tensor, Tensor> fill)
    {
        (Tensor[] keys, Tensor[] values) = Allocate(batch, capacity);
        for (int layer = 0; layer < _layout.Layers; layer++)
        {
            fill(_keys[layer], keys[layer]);
            fill(_values[layer], values[layer]);
        }

        Dispose();
        (_keys, _values) = (keys, values);
        (Batch, Capacity) = (batch, capacity);
        FindAddresses();
    }

    // Rows that no sequence has written are read by a masked attention, and zero times what lies there must be zero. One dynamic sequence shows none of them.
    private (Tensor[] Keys, Tensor[] Values) Allocate(int batch, int capacity)
    {
        long[] shape = [batch, _layout.KvHeads, capacity, _layout.HeadDim];
        Allocations += 2 * _layout.Layers;
        return (Make(), Make());

        Tensor[] Make() => [.. Enumerable.Range(0, _layout.Layers).Select(_ => (batch == 1 && !_options.IsStatic
            ? empty(shape, dtype: _type, device: _options.Device)
            : zeros(shape, dtype: _type, device: _options.Device)).DetachFromDisposeScope())];
    }

    private void FindAddresses() => _addresses = _isStaged ? [] : [.. _keys.Concat(_values).Select(HostRows.AddressOf)];

    private RowMemory RowsOf(int layer, int sequence, int row)
    {
        long headStride = (long)Capacity * _layout.HeadDim;
        nint offset = (nint)((sequence * _layout.KvHeads * headStride + (long)row * _layout.HeadDim) * _layout.BytesPerElement);
        return new RowMemory(_addresses[layer] + offset, _addresses[_layout.Layers + layer] + offset, headStride);
    }
}
