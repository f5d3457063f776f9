namespace KvTiers.Inference.Model.Gguf;

/// <summary>One tensor of a GGUF file. Valid until its file is disposed.</summary>
/// <param name="name">The name that the file gives it.</param>
/// <param name="elements">How its rows are stored.</param>
/// <param name="shape">Outermost first; rows are whole blocks.</param>
/// <param name="byteCount">Bytes.</param>
internal sealed unsafe class GgufTensor(string name, GgufElements elements, long[] shape, long byteCount)
{
    /// <summary>The name that the file gives it.</summary>
    public string Name { get; } = name;

    /// <summary>How its rows are stored.</summary>
    public GgufElements Elements { get; } = elements;

    /// <summary>Outermost first; rows are whole blocks.</summary>
    public long[] Shape { get; } = shape;

    /// <summary>Bytes.</summary>
    public long ByteCount { get; } = byteCount;

    /// <summary>The first byte.</summary>
    public byte* Data { get; set; }
}
