using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>One tensor of a memory-mapped file. Valid until its file is disposed.</summary>
internal sealed unsafe class SafetensorsTensor(string path, string name, string elementType, long[] shape, byte* data, long byteCount)
{
    /// <summary>The file it is in.</summary>
    public string Path => path;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>The element type as the file names it: F32, BF16, I64, ….</summary>
    public string ElementType => elementType;

    /// <summary>Its shape, outermost first.</summary>
    public ReadOnlySpan<long> Shape => shape;

    /// <summary>The first byte, row-major, little-endian.</summary>
    public byte* Data => data;

    /// <summary>Bytes, product of the shape and the element size.</summary>
    public long ByteCount => byteCount;

    /// <summary>Throws unless the tensor has this shape and elements that can be read as floats.</summary>
    /// <exception cref="ModelFormatException">Names file, tensor and rule.</exception>
    public SafetensorsTensor Require(params ReadOnlySpan<long> wanted)
    {
        if (!Shape.SequenceEqual(wanted))
        {
            throw new ModelFormatException(
                path, name, $"has shape [{string.Join(", ", shape)}] but config.json asks for [{string.Join(", ", wanted.ToArray())}].");
        }
        return elementType is "F32" or "F16" or "BF16"
            ? this
            : throw new ModelFormatException(path, name, $"has elements of type {elementType}; supported are F32, F16 and BF16.");
    }

    /// <summary>Reads elements as floats, at equal distances.</summary>
    /// <param name="first">Index of the first element.</param>
    /// <param name="step">Elements from one to the next.</param>
    /// <param name="target">Where they go.</param>
    public void Read(long first, long step, Span<float> target)
    {
        switch (elementType)
        {
            case "F32":
                float* singles = (float*)data + first;
                for (int i = 0; i < target.Length; i++)
                    target[i] = singles[i * step];
                break;
            case "F16":
                Half* halves = (Half*)data + first;
                for (int i = 0; i < target.Length; i++)
                    target[i] = (float)halves[i * step];
                break;
            default:
                ushort* upper = (ushort*)data + first;
                for (int i = 0; i < target.Length; i++)
                    target[i] = BFloat16.Widen(upper[i * step]);
                break;
        }
    }
}
