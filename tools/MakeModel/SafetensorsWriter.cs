using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace KvTiers.MakeModel;

/// <summary>Writes a safetensors file front to back: the header at once, then values as they come.</summary>
/// <remarks>
/// The file: header length (8 bytes, little-endian), JSON header (name → dtype, shape, data_offsets) padded with spaces to a multiple of 8, data.
/// </remarks>
public sealed class SafetensorsWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly TensorType _type;
    private readonly long _count;
    private byte[] _buffer = new byte[1 << 16];
    private long _written;

    /// <summary>Creates the file and writes its header.</summary>
    /// <param name="path">Overwritten when it exists.</param>
    /// <param name="tensors">All tensors, in the order in which their values will come.</param>
    /// <param name="type">Element type of every tensor.</param>
    public SafetensorsWriter(string path, IReadOnlyList<TensorInfo> tensors, TensorType type)
    {
        _type = type;
        _count = tensors.Sum(tensor => tensor.Count);
        byte[] header = Header(tensors, type);
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        _file.Write(length);
        _file.Write(header);
    }

    /// <summary>Bytes of one element.</summary>
    public static int BytesPerElement(TensorType type) => type == TensorType.F32 ? 4 : 2;

    /// <summary>Appends values, row-major, tensor after tensor.</summary>
    /// <exception cref="InvalidOperationException">More values than the header announced.</exception>
    public void Write(ReadOnlySpan<float> values)
    {
        if (_written + values.Length > _count)
            throw new InvalidOperationException($"The header announced {_count} values.");
        int bytes = values.Length * BytesPerElement(_type);
        if (_buffer.Length < bytes)
            _buffer = new byte[bytes];
        Encode(values, _buffer.AsSpan(0, bytes));
        _file.Write(_buffer, 0, bytes);
        _written += values.Length;
    }

    /// <summary>Closes the file.</summary>
    /// <exception cref="InvalidOperationException">Fewer values came than the header announced.</exception>
    public void Complete()
    {
        _file.Flush();
        if (_written != _count)
            throw new InvalidOperationException($"The header announced {_count} values; {_written} came.");
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static byte[] Header(IReadOnlyList<TensorInfo> tensors, TensorType type)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            long offset = 0;
            foreach (TensorInfo tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", type.ToString());
                json.WriteStartArray("shape");
                foreach (int dimension in tensor.Shape)
                    json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset += tensor.Count * BytesPerElement(type);
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (memory.Length % 8 != 0)
            memory.WriteByte((byte)' ');
        return memory.ToArray();
    }

    private void Encode(ReadOnlySpan<float> values, Span<byte> target)
    {
        switch (_type)
        {
            case TensorType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(target);
                break;
            case TensorType.F16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(target);
                for (int i = 0; i < values.Length; i++)
                    halves[i] = (Half)values[i];
                break;
            default:
                Span<ushort> words = MemoryMarshal.Cast<byte, ushort>(target);
                for (int i = 0; i < values.Length; i++)
                {
                    uint bits = BitConverter.SingleToUInt32Bits(values[i]);
                    words[i] = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
                }

                break;
        }
    }
}
