using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>One tensor of a memory-mapped file. Valid until its file is disposed.</summary>
public sealed unsafe class SafetensorsTensor
{
    private readonly long[] _shape;

    internal SafetensorsTensor(string path, string name, string elementType, long[] shape, byte* data, long byteCount)
    {
        Path = path;
        Name = name;
        ElementType = elementType;
        _shape = shape;
        Data = data;
        ByteCount = byteCount;
    }

    /// <summary>The file it is in.</summary>
    public string Path { get; }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The element type as the file names it: F32, BF16, I64, ….</summary>
    public string ElementType { get; }

    /// <summary>Its shape, outermost first.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>The first byte, row-major, little-endian.</summary>
    internal byte* Data { get; }

    /// <summary>Bytes, product of the shape and the element size.</summary>
    public long ByteCount { get; }

    /// <summary>Throws unless the tensor has this shape and elements that can be read as floats.</summary>
    /// <exception cref="ModelFormatException">Names file, tensor and rule.</exception>
    internal SafetensorsTensor Require(params ReadOnlySpan<long> wanted)
    {
        if (!Shape.SequenceEqual(wanted))
        {
            throw new ModelFormatException(
                Path, Name, $"has shape [{string.Join(", ", _shape)}] but config.json asks for [{string.Join(", ", wanted.ToArray())}].");
        }
        return ElementType is "F32" or "F16" or "BF16"
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
        long count = ByteCount / (ElementType == "F32" ? 4 : 2), last = first + Math.Max(0L, target.Length - 1L) * step;
        if (first < 0 || step < 0 || last >= count && target.Length > 0)
            throw new ArgumentOutOfRangeException(nameof(first), first, $"Element {last} is asked for; the tensor has {count}.");
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
}
