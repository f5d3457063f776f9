using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace KvTiers.Serialization;

/// <summary>Writes MessagePack: nil, booleans, integers, 64-bit floats, strings, byte arrays, arrays and maps, each in its shortest form.</summary>
public sealed class MessagePackWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>What was written so far.</summary>
    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>Writes nil.</summary>
    public void WriteNil() => Byte(0xC0);

    /// <summary>Writes a boolean.</summary>
    public void Write(bool value) => Byte(value ? (byte)0xC3 : (byte)0xC2);

    /// <summary>Writes an integer.</summary>
    public void Write(long value)
    {
        switch (value)
        {
            case >= 0 and <= 0x7F:
            case >= -32 and < 0:
                Byte((byte)value);
                break;
            case >= 0 and <= byte.MaxValue:
                Byte(0xCC);
                Byte((byte)value);
                break;
            case >= 0 and <= ushort.MaxValue:
                Head(0xCD, (ushort)value);
                break;
            case >= 0 and <= uint.MaxValue:
                Head(0xCE, (uint)value);
                break;
            case >= 0:
                Head(0xCF, (ulong)value);
                break;
            case >= sbyte.MinValue:
                Byte(0xD0);
                Byte((byte)value);
                break;
            case >= short.MinValue:
                Head(0xD1, (ushort)value);
                break;
            case >= int.MinValue:
                Head(0xD2, (uint)value);
                break;
            default:
                Head(0xD3, (ulong)value);
                break;
        }
    }

    /// <summary>Writes a 64-bit float.</summary>
    public void Write(double value) => Head(0xCB, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>Writes a string, or nil for null.</summary>
    /// <exception cref="ArgumentException">It holds half of a surrogate pair, which UTF-8 cannot carry.</exception>
    public void Write(string? value)
    {
        if (value is null)
        {
            WriteNil();
            return;
        }

        byte[] utf8;
        try
        {
            utf8 = StrictUtf8.Encoding.GetBytes(value);
        }
        catch (EncoderFallbackException exception)
        {
            throw new ArgumentException("The text holds half of a surrogate pair.", nameof(value), exception);
        }

        if (utf8.Length <= 31)
            Byte((byte)(0xA0 | utf8.Length));
        else
            Head8(0xD9, 0xDA, 0xDB, utf8.Length);
        _buffer.Write(utf8);
    }

    /// <summary>Writes a byte array.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Head8(0xC4, 0xC5, 0xC6, bytes.Length);
        _buffer.Write(bytes);
    }

    /// <summary>Begins an array of <paramref name="count"/> values, which follow.</summary>
    public void WriteArrayHeader(int count) => Collection(0x90, 0xDC, 0xDD, count);

    /// <summary>Begins a map of <paramref name="count"/> pairs, which follow as key, value, key, value, …</summary>
    public void WriteMapHeader(int count) => Collection(0x80, 0xDE, 0xDF, count);

    /// <summary>Writes an array of integers.</summary>
    public void Write(ReadOnlySpan<int> values)
    {
        WriteArrayHeader(values.Length);
        foreach (int value in values)
            Write(value);
    }

    /// <summary>Copies one value that is MessagePack already.</summary>
    public void WriteRaw(ReadOnlySpan<byte> value) => _buffer.Write(value);

    private void Byte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
    }

    private void Head(byte code, ushort value)
    {
        Byte(code);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer.GetSpan(sizeof(ushort)), value);
        _buffer.Advance(sizeof(ushort));
    }

    private void Head(byte code, uint value)
    {
        Byte(code);
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.GetSpan(sizeof(uint)), value);
        _buffer.Advance(sizeof(uint));
    }

    private void Head(byte code, ulong value)
    {
        Byte(code);
        BinaryPrimitives.WriteUInt64BigEndian(_buffer.GetSpan(sizeof(ulong)), value);
        _buffer.Advance(sizeof(ulong));
    }

    private void Head8(byte code8, byte code16, byte code32, int length)
    {
        if (length > byte.MaxValue)
        {
            Head16(code16, code32, length);
            return;
        }

        Byte(code8);
        Byte((byte)length);
    }

    private void Head16(byte code16, byte code32, int length)
    {
        if (length <= ushort.MaxValue)
            Head(code16, (ushort)length);
        else
            Head(code32, (uint)length);
    }

    private void Collection(byte small, byte code16, byte code32, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count <= 15)
            Byte((byte)(small | count));
        else
            Head16(code16, code32, count);
    }
}
