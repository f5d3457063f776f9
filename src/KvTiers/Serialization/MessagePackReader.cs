using System.Buffers.Binary;
using System.Text;

namespace KvTiers.Serialization;

/// <summary>
/// Reads MessagePack: nil, booleans, integers and floats of any width, strings, byte arrays, arrays and maps. Extension types are refused,
/// and a length is believed only as far as there are bytes for it.
/// </summary>
/// <remarks>Every method throws <see cref="FormatException"/>, naming the offset, when something else stands there or the bytes end.</remarks>
public ref struct MessagePackReader(ReadOnlySpan<byte> bytes)
{
    private const int MaxDepth = 32;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Offset of the next value.</summary>
    public int Position { get; private set; }

    /// <summary>Whether every byte is read.</summary>
    public readonly bool AtEnd => Position == _bytes.Length;

    /// <summary>Reads nil if it is next.</summary>
    public bool TryReadNil()
    {
        if (Peek() != 0xC0)
            return false;
        Position++;
        return true;
    }

    /// <summary>Reads a boolean.</summary>
    public bool ReadBoolean() => Next() switch
    {
        0xC2 => false,
        0xC3 => true,
        byte code => throw Unexpected(code, "a boolean"),
    };

    /// <summary>Reads an integer.</summary>
    public long ReadInt64()
    {
        byte code = Next();
        switch (code)
        {
            case <= 0x7F:
            case >= 0xE0:
                return (sbyte)code;
            case 0xCC:
                return Take(1)[0];
            case 0xCD:
                return BinaryPrimitives.ReadUInt16BigEndian(Take(2));
            case 0xCE:
                return BinaryPrimitives.ReadUInt32BigEndian(Take(4));
            case 0xCF:
                ulong value = BinaryPrimitives.ReadUInt64BigEndian(Take(8));
                return value <= long.MaxValue ? (long)value : throw Wrong($"the integer {value} is above {long.MaxValue}");
            case 0xD0:
                return (sbyte)Take(1)[0];
            case 0xD1:
                return BinaryPrimitives.ReadInt16BigEndian(Take(2));
            case 0xD2:
                return BinaryPrimitives.ReadInt32BigEndian(Take(4));
            case 0xD3:
                return BinaryPrimitives.ReadInt64BigEndian(Take(8));
            default:
                throw Unexpected(code, "an integer");
        }
    }

    /// <summary>Reads an integer that fits 32 bits.</summary>
    public int ReadInt32()
    {
        long value = ReadInt64();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw Wrong($"the integer {value} does not fit 32 bits");
    }

    /// <summary>Reads a float, or an integer as one.</summary>
    public double ReadDouble()
    {
        switch (Peek())
        {
            case 0xCA:
                Position++;
                return BinaryPrimitives.ReadSingleBigEndian(Take(4));
            case 0xCB:
                Position++;
                return BinaryPrimitives.ReadDoubleBigEndian(Take(8));
            default:
                return ReadInt64();
        }
    }

    /// <summary>Reads a string.</summary>
    public string ReadString()
    {
        byte code = Next();
        int length = code switch
        {
            >= 0xA0 and <= 0xBF => code & 0x1F,
            0xD9 => Take(1)[0],
            0xDA => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xDB => Length32(),
            _ => throw Unexpected(code, "a string"),
        };
        try
        {
            return StrictUtf8.Encoding.GetString(Take(length));
        }
        catch (DecoderFallbackException exception)
        {
            throw new FormatException($"The string before offset {Position} is not UTF-8.", exception);
        }
    }

    /// <summary>Reads a string or nil.</summary>
    public string? ReadStringOrNil() => TryReadNil() ? null : ReadString();

    /// <summary>Reads a byte array in place.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        byte code = Next();
        return Take(code switch
        {
            0xC4 => Take(1)[0],
            0xC5 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xC6 => Length32(),
            _ => throw Unexpected(code, "a byte array"),
        });
    }

    /// <summary>Begins an array; its values follow.</summary>
    public int ReadArrayHeader()
    {
        byte code = Next();
        return Believable(code switch
        {
            >= 0x90 and <= 0x9F => code & 0x0F,
            0xDC => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xDD => Length32(),
            _ => throw Unexpected(code, "an array"),
        }, 1);
    }

    /// <summary>Begins a map; its pairs follow.</summary>
    public int ReadMapHeader()
    {
        byte code = Next();
        return Believable(code switch
        {
            >= 0x80 and <= 0x8F => code & 0x0F,
            0xDE => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xDF => Length32(),
            _ => throw Unexpected(code, "a map"),
        }, 2);
    }

    /// <summary>Reads an array of integers that fit 32 bits.</summary>
    public int[] ReadInt32Array()
    {
        int[] values = new int[ReadArrayHeader()];
        for (int i = 0; i < values.Length; i++)
            values[i] = ReadInt32();
        return values;
    }

    /// <summary>Whether an array, and not another value, is next.</summary>
    public readonly bool NextIsArray => Peek() is (>= 0x90 and <= 0x9F) or 0xDC or 0xDD;

    /// <summary>Passes over one value, whatever it is and holds.</summary>
    public void Skip() => Skip(MaxDepth);

    private void Skip(int depth)
    {
        if (depth == 0)
            throw Wrong($"values are nested deeper than {MaxDepth}");
        switch (Peek())
        {
            case 0xC0 or 0xC2 or 0xC3:
                Position++;
                break;
            case (>= 0xA0 and <= 0xBF) or 0xD9 or 0xDA or 0xDB:
                _ = ReadString();
                break;
            case 0xC4 or 0xC5 or 0xC6:
                _ = ReadBytes();
                break;
            case (>= 0x90 and <= 0x9F) or 0xDC or 0xDD:
                for (int left = ReadArrayHeader(); left > 0; left--)
                    Skip(depth - 1);
                break;
            case (>= 0x80 and <= 0x8F) or 0xDE or 0xDF:
                for (int left = 2 * ReadMapHeader(); left > 0; left--)
                    Skip(depth - 1);
                break;
            default:
                _ = ReadDouble();
                break;
        }
    }

    private readonly byte Peek() => Position < _bytes.Length ? _bytes[Position] : throw Ended();

    private byte Next()
    {
        byte code = Peek();
        Position++;
        return code;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - Position)
            throw Ended();
        ReadOnlySpan<byte> taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }

    private int Length32()
    {
        uint length = BinaryPrimitives.ReadUInt32BigEndian(Take(4));
        return length <= int.MaxValue ? (int)length : throw Ended();
    }

    // Each value has at least one byte, so a count beyond the bytes that are left is a lie, found before memory is set aside for it.
    private readonly int Believable(int count, int bytesEach) => count <= (_bytes.Length - Position) / bytesEach ? count : throw Ended();

    private readonly FormatException Ended() => new($"The bytes end at {_bytes.Length}, before the value at offset {Position} does.");

    private readonly FormatException Wrong(string what) => new($"At offset {Position}, {what}.");

    private readonly FormatException Unexpected(byte code, string wanted) => new($"At offset {Position - 1}, the byte 0x{code:X2} does not begin {wanted}.");
}
