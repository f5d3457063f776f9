using KvTiers.Cli.Outcomes;

namespace KvTiers.Cli.Size;

/// <summary>What the metadata of a GGUF file, of whatever architecture, says about the size of K and V.</summary>
internal sealed class GgufShape : IDisposable
{
    private const uint Magic = 0x4655_4747; // "GGUF"
    private const int MostDepth = 4;
    private const int LongestText = 1 << 20;
    private readonly Dictionary<string, object> _values = new(StringComparer.Ordinal);
    private readonly BinaryReader _reader;
    private readonly string _path;

    private GgufShape(string path)
    {
        _path = path;
        _reader = new BinaryReader(new BufferedStream(File.OpenRead(path), 1 << 20));
    }

    /// <summary>The path is that of such a file.</summary>
    public static bool IsNamedSo(string path) => path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads it.</summary>
    /// <exception cref="CliException">It cannot be read, or lacks what is needed.</exception>
    public static ModelShape Read(string path)
    {
        try
        {
            using GgufShape file = new(path);
            return file.Read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private ModelShape Read()
    {
        if (_reader.ReadUInt32() != Magic || _reader.ReadUInt32() is not (2 or 3))
            throw new CliException($"{_path} is no GGUF file of version 2 or 3.");
        _reader.ReadUInt64();
        for (ulong left = _reader.ReadUInt64(); left > 0; left--)
        {
            string key = Text();
            if (Value(_reader.ReadUInt32(), 0) is { } value)
                _values[key] = value;
        }

        string architecture = _values.GetValueOrDefault("general.architecture") as string ?? throw new CliException($"{_path} does not say general.architecture.");
        int heads = Required("attention.head_count");
        int headDim = Find("attention.key_length") ?? Required("embedding_length") / heads;
        return new ModelShape(
            Required("block_count"), heads, Find("attention.head_count_kv") ?? heads, headDim, Find("context_length"), Find("attention.sliding_window"), Element: null);

        int Required(string name) => Find(name) ?? throw new CliException($"{_path} does not say {architecture}.{name}.");

        int? Find(string name) => !_values.TryGetValue($"{architecture}.{name}", out object? value) ? null
            : value is ulong number and > 0 and <= int.MaxValue ? (int)number
            : throw new CliException($"{_path}: {architecture}.{name} must be a positive whole number.");
    }

    // Whole numbers of whatever width and texts; null for what is skipped.
    private object? Value(uint type, int depth) => type switch
    {
        0 => (ulong)_reader.ReadByte(),
        1 => (ulong)_reader.ReadSByte(),
        2 => (ulong)_reader.ReadUInt16(),
        3 => (ulong)_reader.ReadInt16(),
        4 => (ulong)_reader.ReadUInt32(),
        5 => (ulong)_reader.ReadInt32(),
        6 => Skip(sizeof(float)),
        7 => Skip(sizeof(bool)),
        8 => Text(),
        9 => List(depth),
        10 => _reader.ReadUInt64(),
        11 => (ulong)_reader.ReadInt64(),
        12 => Skip(sizeof(double)),
        _ => throw new CliException($"{_path} has a value of the unknown type {type}."),
    };

    private object? List(int depth)
    {
        uint type = _reader.ReadUInt32();
        if (depth == MostDepth)
            throw new CliException($"{_path} has lists in lists more than {MostDepth} deep.");
        for (ulong left = _reader.ReadUInt64(); left > 0; left--)
            Value(type, depth + 1);
        // Shapes that differ from layer to layer are not summed up here: what needs them says so.
        return Array.Empty<object>();
    }

    private object? Skip(int bytes) => _reader.ReadBytes(bytes).Length == bytes ? null : throw new EndOfStreamException("The file ends inside its metadata.");

    private string Text()
    {
        ulong length = _reader.ReadUInt64();
        if (length > LongestText)
            throw new CliException($"{_path} has a text of {length} bytes in its metadata, which is too long.");
        byte[] bytes = _reader.ReadBytes((int)length);
        return bytes.Length == (int)length ? System.Text.Encoding.UTF8.GetString(bytes) : throw new EndOfStreamException("The file ends inside its metadata.");
    }
}
