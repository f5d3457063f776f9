using System.Buffers.Binary;
using System.Text.Json;

namespace KvTiers.Inference.Model;

/// <summary>
/// A memory-mapped <c>.safetensors</c> file: 8 bytes with the header's length, a JSON header that names each tensor's type, shape and
/// byte range, then the bytes. Everything the header claims is checked when the file is opened: the ranges lie inside the file,
/// follow each other without gap or overlap up to its end, and have the size that type and shape make.
/// </summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;
    private const long MostHeaderBytes = 100_000_000;
    private readonly MappedFile _file;
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="ModelFormatException">The file cannot be read or is not what its header says.</exception>
    public SafetensorsFile(string path)
    {
        Path = path;
        _file = new MappedFile(path, LengthBytes, "safetensors");
        try
        {
            ReadHeader(_file.Start, _file.Length);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Every tensor by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static int ElementBytes(string type) => type switch
    {
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" => 1,
        "U16" or "I16" or "F16" or "BF16" => 2,
        "U32" or "I32" or "F32" => 4,
        "U64" or "I64" or "F64" => 8,
        _ => 0,
    };

    private void ReadHeader(byte* start, long length)
    {
        ulong claimed = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start, LengthBytes));
        if (claimed > MostHeaderBytes || (long)claimed > length - LengthBytes)
            throw new ModelFormatException(Path, null, $"claims a header of {claimed} bytes in a file of {length}.");
        long dataLength = length - LengthBytes - (long)claimed;
        byte* data = start + LengthBytes + claimed;
        List<(long Begin, long End, string Name)> ranges = [];
        try
        {
            using UnmanagedMemoryStream header = new(start + LengthBytes, (long)claimed);
            using JsonDocument document = JsonDocument.Parse(header);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ModelFormatException(Path, null, "has a header that is not a JSON object.");
            foreach (JsonProperty entry in document.RootElement.EnumerateObject())
            {
                if (entry.Name == "__metadata__")
                    continue;
                (string type, long[] shape, long begin, long end) = ReadEntry(entry, dataLength);
                if (!_tensors.TryAdd(entry.Name, new SafetensorsTensor(Path, entry.Name, type, shape, data + begin, end - begin)))
                    throw new ModelFormatException(Path, entry.Name, "is in the header twice.");
                ranges.Add((begin, end, entry.Name));
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The latter where a text holds half of a surrogate pair.
            throw new ModelFormatException(Path, null, $"has a header that is not JSON: {exception.Message}", exception);
        }

        ranges.Sort();
        long expected = 0;
        foreach ((long begin, long end, string name) in ranges)
        {
            if (begin != expected)
            {
                throw new ModelFormatException(
                    Path, name, $"begins at byte {begin} of the data but the tensor before it ends at {expected}: ranges must follow each other.");
            }
            expected = end;
        }
        if (expected != dataLength)
            throw new ModelFormatException(Path, null, $"has {dataLength} bytes of data but its header names {expected}.");
    }

    private (string Type, long[] Shape, long Begin, long End) ReadEntry(JsonProperty entry, long dataLength)
    {
        string? type = null;
        long[]? shape = null, offsets = null;
        if (entry.Value.ValueKind != JsonValueKind.Object)
            throw new ModelFormatException(Path, entry.Name, "must be a JSON object in the header.");
        foreach (JsonProperty property in entry.Value.EnumerateObject())
        {
            switch (property.Name)
            {
                case "dtype" when property.Value.ValueKind == JsonValueKind.String:
                    type = property.Value.GetString();
                    break;
                case "shape":
                    shape = Numbers(entry.Name, property);
                    break;
                case "data_offsets":
                    offsets = Numbers(entry.Name, property);
                    break;
            }
        }
        int elementBytes = ElementBytes(type ?? "");
        if (elementBytes == 0)
            throw new ModelFormatException(Path, entry.Name, $"has the unknown dtype {type ?? "(none)"}.");
        if (shape is null)
            throw new ModelFormatException(Path, entry.Name, "has no shape.");
        if (offsets is not [long begin, long end])
            throw new ModelFormatException(Path, entry.Name, "must have two data_offsets.");
        if (begin > end || end > dataLength)
            throw new ModelFormatException(Path, entry.Name, $"has data_offsets [{begin}, {end}] outside the {dataLength} bytes of data.");
        Int128 bytes = elementBytes;
        foreach (long dimension in shape)
        {
            bytes *= dimension;
            if (bytes > long.MaxValue)
                break;
        }
        if (bytes != end - begin)
        {
            throw new ModelFormatException(
                Path, entry.Name, $"has {end - begin} bytes but {type} of shape [{string.Join(", ", shape)}] takes {bytes}.");
        }
        return (type!, shape, begin, end);
    }

    private long[] Numbers(string tensor, JsonProperty property)
    {
        if (property.Value.ValueKind != JsonValueKind.Array)
            throw new ModelFormatException(Path, tensor, $"must have a list as {property.Name}.");
        long[] numbers = new long[property.Value.GetArrayLength()];
        for (int i = 0; i < numbers.Length; i++)
        {
            JsonElement number = property.Value[i];
            if (number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out numbers[i]) || numbers[i] < 0)
                throw new ModelFormatException(Path, tensor, $"has {number.GetRawText()} in {property.Name}, which must hold whole numbers from 0.");
        }
        return numbers;
    }
}
