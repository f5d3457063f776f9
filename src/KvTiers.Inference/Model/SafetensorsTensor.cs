using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model.Gguf;

namespace KvTiers.Inference.Model;

/// <summary>One tensor of a memory-mapped file, safetensors or GGUF. Valid until its file is disposed.</summary>
public sealed unsafe class SafetensorsTensor
{
    private readonly long[] _shape;
    private readonly GgufElements? _blocks;
    private readonly HeadRows? _rows;

    internal SafetensorsTensor(string path, string name, string elementType, long[] shape, byte* data, long byteCount)
    {
        Path = path;
        Name = name;
        ElementType = elementType;
        _shape = shape;
        Data = data;
        ByteCount = byteCount;
    }

    /// <summary>A tensor of a GGUF file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The name it has here.</param>
    /// <param name="tensor">Where it is.</param>
    /// <param name="rows">Where its rows are, unless one after the other.</param>
    internal SafetensorsTensor(string path, string name, GgufTensor tensor, HeadRows? rows)
        : this(path, name, tensor.Elements.Name, tensor.Shape, tensor.Data, tensor.ByteCount)
    {
        _blocks = tensor.Elements;
        _rows = rows;
    }

    /// <summary>The file it is in.</summary>
    public string Path { get; }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The element type as the file names it: F32, BF16, Q4_K, I64, ….</summary>
    public string ElementType { get; }

    /// <summary>Its shape, outermost first.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>The first byte, row-major, little-endian.</summary>
    internal byte* Data { get; }

    /// <summary>Bytes, product of the shape and the element size.</summary>
    public long ByteCount { get; }

    /// <summary>The format of panels that holds its elements as they are, or nearly so.</summary>
    internal PanelFormat Panels => _blocks?.Panels ?? (ElementType == "BF16" ? PanelFormat.BF16 : PanelFormat.F32);

    /// <summary>Throws unless the tensor has this shape and elements that can be read as floats.</summary>
    /// <exception cref="ModelFormatException">Names file, tensor and rule.</exception>
    internal SafetensorsTensor Require(params ReadOnlySpan<long> wanted)
    {
        if (!Shape.SequenceEqual(wanted))
        {
            throw new ModelFormatException(
                Path, Name, $"has shape [{string.Join(", ", _shape)}] but config.json asks for [{string.Join(", ", wanted.ToArray())}].");
        }
        return _blocks is not null || ElementType is "F32" or "F16" or "BF16"
            ? this
            : throw new ModelFormatException(Path, Name, $"has elements of type {ElementType}; supported are F32, F16 and BF16.");
    }

    /// <summary>Reads elements as floats, at equal distances.</summary>
    /// <param name="first">Index of the first element.</param>
    /// <param name="step">Elements from one to the next.</param>
    /// <param name="target">Where they go. All of them must lie in the tensor.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of them does not.</exception>
    public void Read(long first, long step, Span<float> target)
    {
        long count = _blocks is null ? ByteCount / (ElementType == "F32" ? 4 : 2) : ByteCount / _blocks.BlockBytes * _blocks.BlockElements, last = first + Math.Max(0L, target.Length - 1L) * step;
        if (first < 0 || step < 0 || last >= count && target.Length > 0)
            throw new ArgumentOutOfRangeException(nameof(first), first, $"Element {last} is asked for; the tensor has {count}.");
        if (_blocks is not null)
        {
            ReadBlocks(_blocks, first, step, target);
            return;
        }
        switch (ElementType)
        {
            case "F32":
                float* singles = (float*)Data + first;
                for (int i = 0; i < target.Length; i++)
                    target[i] = singles[i * step];
                break;
            case "F16":
                Half* halves = (Half*)Data + first;
                for (int i = 0; i < target.Length; i++)
                    target[i] = (float)halves[i * step];
                break;
            default:
                ushort* upper = (ushort*)Data + first;
                for (int i = 0; i < target.Length; i++)
                    target[i] = BFloat16.Widen(upper[i * step]);
                break;
        }
    }

    /// <summary>Reads a row of a matrix as integers in groups, where panels of this format hold its elements so.</summary>
    /// <param name="row">The row.</param>
    /// <param name="format">A format with groups of 32 inputs.</param>
    /// <param name="weights">Of as many elements as a row has.</param>
    /// <returns>False where they do not; what was written then means nothing.</returns>
    internal bool TryRead(long row, PanelFormat format, GroupedWeights weights)
    {
        if (_blocks is null || _blocks.BlockElements < GroupedWeights.GroupInputs)
            return false;
        int elements = _blocks.BlockElements, groups = elements / GroupedWeights.GroupInputs, blocks = weights.Integers.Length / elements;
        byte* block = Data + (_rows?.Stored(row) ?? row) * blocks * _blocks.BlockBytes;
        for (int i = 0; i < blocks; i++, block += _blocks.BlockBytes)
        {
            if (!_blocks.TryRead(
                block, format, weights.Integers.AsSpan(i * elements, elements), weights.Scales.AsSpan(i * groups, groups), weights.Least.AsSpan(i * groups, groups)))
                return false;
        }
        return true;
    }

    private void ReadBlocks(GgufElements blocks, long first, long step, Span<float> target)
    {
        // A vector's elements are its rows.
        long rowElements = _shape.Length == 1 && _rows is not null ? 1 : _shape[^1];
        Span<float> block = stackalloc float[GgufElements.MostBlockElements];
        for (int i = 0; i < target.Length;)
        {
            (long row, long column) = Math.DivRem(first + i * step, rowElements);
            long element = (_rows?.Stored(row) ?? row) * rowElements + column;
            (long number, long within) = Math.DivRem(element, blocks.BlockElements);
            blocks.Read(Data + number * blocks.BlockBytes, block);
            int count = step == 1 ? (int)Math.Min(Math.Min(blocks.BlockElements - within, rowElements - column), target.Length - i) : 1;
            block.Slice((int)within, count).CopyTo(target[i..]);
            i += count;
        }
    }
}
