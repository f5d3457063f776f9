namespace KvTiers.Inference.Model.Gguf;

/// <summary>
/// A memory-mapped <c>.gguf</c> file: magic, version and counts, metadata as keys and values, then each tensor's name, shape, type and place, then their bytes.
/// All that it claims is checked when it is opened: texts and lists end before the file does, names occur once, tensors lie inside the file, at
/// multiples of the alignment, and share no byte.
/// </summary>
/// <remarks>Little-endian, versions 2 and 3. From the format's description in the ggml project.</remarks>
internal sealed unsafe class GgufFile : IDisposable
{
    private const uint Magic = 0x4655_4747; // "GGUF"
    private const int MostDimensions = 4;
    private const int LeastKeyBytes = 13;
    private const int LeastTensorBytes = 32;
    private const int UsualAlignment = 32;
    private readonly MappedFile _file;
    private readonly Dictionary<string, GgufValue> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GgufTensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="ModelFormatException">The file cannot be read, is not what it says, or has tensors of an unknown type.</exception>
    public GgufFile(string path)
    {
        Path = path;
        _file = new MappedFile(path, sizeof(uint), "GGUF");
        try
        {
            Read(_file.Start, _file.Length);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The metadata.</summary>
    public IReadOnlyDictionary<string, GgufValue> Metadata => _metadata;

    /// <summary>Every tensor by the name that the file gives it.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors => _tensors;

    /// <summary>The path is meant to be a GGUF file.</summary>
    public static bool IsNamedSo(string path) => path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    /// <summary>A value, or null where the file has none.</summary>
    public GgufValue? Find(string key) => _metadata.GetValueOrDefault(key);

    /// <summary>A value that must be there.</summary>
    /// <exception cref="ModelFormatException">It is not.</exception>
    public GgufValue Require(string key) => Find(key) ?? throw new ModelFormatException(Path, key, "is required.");

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Read(byte* start, long length)
    {
        GgufReader reader = new(Path, start, length);
        if (reader.Number<uint>("magic") != Magic)
            throw new ModelFormatException(Path, null, "does not begin with GGUF and is no GGUF file.");
        uint version = reader.Number<uint>("version");
        if (version is not (2 or 3))
            throw new ModelFormatException(Path, "version", $"is {version}; supported are 2 and 3, little-endian.");
        long tensorCount = reader.Count(LeastTensorBytes, "tensor count"), keyCount = reader.Count(LeastKeyBytes, "metadata count");
        for (long i = 0; i < keyCount; i++)
        {
            string key = reader.Text($"metadata key {i}");
            if (!_metadata.TryAdd(key, reader.Value(key)))
                throw new ModelFormatException(Path, key, "is in the metadata twice.");
        }
        if (Find("split.count")?.Int(0, ushort.MaxValue) > 1)
            throw new ModelFormatException(Path, "split.count", "says that the model is in several files, which is not supported: join them into one.");
        int alignment = Find("general.alignment")?.Int(1, 1 << 30) ?? UsualAlignment;
        if (alignment % 8 != 0)
            throw new ModelFormatException(Path, "general.alignment", $"is {alignment} but must be a multiple of 8.");
        ReadTensors(ref reader, start, length, tensorCount, alignment);
    }

    private void ReadTensors(ref GgufReader reader, byte* start, long length, long count, int alignment)
    {
        List<(GgufTensor Tensor, ulong Offset)> tensors = [];
        for (long i = 0; i < count; i++)
        {
            string name = reader.Text($"tensor name {i}");
            uint dimensions = reader.Number<uint>(name);
            if (dimensions is 0 or > MostDimensions)
                throw new ModelFormatException(Path, name, $"has {dimensions} dimensions, which must be 1 to {MostDimensions}.");
            long[] shape = new long[dimensions];
            Int128 elements = 1;
            for (int d = shape.Length - 1; d >= 0; d--)
            {
                shape[d] = reader.Number<ulong>(name) is ulong size and > 0 and <= int.MaxValue
                    ? (long)size
                    : throw new ModelFormatException(Path, name, "has a dimension that is not from 1 to 2^31 − 1.");
                elements *= shape[d];
            }
            GgufElements type = GgufElements.Find(Path, name, reader.Number<uint>(name));
            if (shape[^1] % type.BlockElements != 0)
                throw new ModelFormatException(Path, name, $"has rows of {shape[^1]} elements, which must be a multiple of {type.BlockElements} for {type.Name}.");
            Int128 bytes = elements / type.BlockElements * type.BlockBytes;
            ulong offset = reader.Number<ulong>(name);
            if (offset % (uint)alignment != 0)
                throw new ModelFormatException(Path, name, $"begins at byte {offset} of the data, which must be a multiple of {alignment}.");
            if (bytes > length || offset > (ulong)length)
                throw new ModelFormatException(Path, name, $"takes {bytes} bytes at byte {offset} of the data, more than the file's {length}.");
            tensors.Add((new GgufTensor(name, type, shape, (long)bytes), offset));
        }

        long dataStart = (reader.Position + alignment - 1) / alignment * alignment;
        foreach ((GgufTensor tensor, ulong offset) in tensors)
        {
            if (dataStart > length || (long)offset > length - dataStart || tensor.ByteCount > length - dataStart - (long)offset)
                throw new ModelFormatException(Path, tensor.Name, $"ends beyond the file: {tensor.ByteCount} bytes at byte {offset} of {Math.Max(0, length - dataStart)} bytes of data.");
            tensor.Data = start + dataStart + (long)offset;
            if (!_tensors.TryAdd(tensor.Name, tensor))
                throw new ModelFormatException(Path, tensor.Name, "is in the file twice.");
        }

        tensors.Sort((left, right) => left.Offset.CompareTo(right.Offset));
        for (int i = 1; i < tensors.Count; i++)
        {
            if (tensors[i].Offset < tensors[i - 1].Offset + (ulong)tensors[i - 1].Tensor.ByteCount)
                throw new ModelFormatException(Path, tensors[i].Tensor.Name, $"shares bytes with {tensors[i - 1].Tensor.Name}.");
        }
    }
}
