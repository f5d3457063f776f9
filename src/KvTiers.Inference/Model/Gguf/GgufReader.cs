using System.Runtime.CompilerServices;
using System.Text;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>Reads one value of a GGUF header after the other, and nothing beyond its end. Everything a file claims is held against the bytes that are left.</summary>
/// <param name="path">The file, for errors.</param>
/// <param name="start">The header's first byte.</param>
/// <param name="length">Bytes of the file.</param>
internal unsafe ref struct GgufReader(string path, byte* start, long length)
{
    // Deeper lists mean nothing in any file that is known.
    private const int MostDepth = 4;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Bytes read.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes left.</summary>
    public readonly long Left => length - Position;

    /// <summary>A number of 1 to 8 bytes.</summary>
    /// <exception cref="ModelFormatException">The file ends first.</exception>
    public T Number<T>(string subject)
        where T : unmanaged
    {
        byte* at = Take(sizeof(T), subject);
        return Unsafe.ReadUnaligned<T>(at);
    }

    /// <summary>How many things follow, each of at least so many bytes.</summary>
    /// <exception cref="ModelFormatException">There cannot be so many in the bytes that are left.</exception>
    public long Count(int leastBytes, string subject)
    {
        ulong count = Number<ulong>(subject);
        return count <= (ulong)(Left / leastBytes)
            ? (long)count
            : throw new ModelFormatException(path, subject, $"claims {count} entries, more than the {Left} bytes that are left can hold.");
    }

    /// <summary>A text: its length in 8 bytes, then UTF-8.</summary>
    /// <exception cref="ModelFormatException">It is longer than the file, or not UTF-8.</exception>
    public string Text(string subject)
    {
        long count = Count(1, subject);
        byte* at = Take(count, subject);
        if (count > int.MaxValue)
            throw new ModelFormatException(path, subject, $"is a text of {count} bytes, which is too long.");
        try
        {
            return Strict.GetString(at, (int)count);
        }
        catch (DecoderFallbackException exception)
        {
            throw new ModelFormatException(path, subject, "must be UTF-8.", exception);
        }
    }

    /// <summary>A metadata value, its type first.</summary>
    /// <exception cref="ModelFormatException">Its type is unknown, or it is longer than the file.</exception>
    public GgufValue Value(string subject)
    {
        GgufValueType type = Type(subject);
        if (type != GgufValueType.Array)
            return new GgufValue(path, subject, null, ReadOne(type, subject));
        GgufValueType element = Type(subject);
        return new GgufValue(path, subject, element, Elements(element, subject, 1));
    }

    private readonly object Fail(string subject, string rule) => throw new ModelFormatException(path, subject, rule);

    private GgufValueType Type(string subject)
    {
        uint type = Number<uint>(subject);
        return type <= (uint)GgufValueType.Float64
            ? (GgufValueType)type
            : throw new ModelFormatException(path, subject, $"has a value of type {type}; known are 0 to {(uint)GgufValueType.Float64}.");
    }

    private object ReadOne(GgufValueType type, string subject) => type switch
    {
        GgufValueType.UInt8 => (long)Number<byte>(subject),
        GgufValueType.Int8 => (long)Number<sbyte>(subject),
        GgufValueType.UInt16 => (long)Number<ushort>(subject),
        GgufValueType.Int16 => (long)Number<short>(subject),
        GgufValueType.UInt32 => (long)Number<uint>(subject),
        GgufValueType.Int32 => (long)Number<int>(subject),
        GgufValueType.UInt64 => Number<ulong>(subject) is ulong number and <= long.MaxValue ? (long)number : Fail(subject, "is a number beyond 2^63 − 1."),
        GgufValueType.Int64 => Number<long>(subject),
        GgufValueType.Float32 => (double)Number<float>(subject),
        GgufValueType.Float64 => Number<double>(subject),
        GgufValueType.Bool => Number<byte>(subject) switch
        {
            0 => false,
            1 => true,
            byte other => Fail(subject, $"is the truth value {other}, which must be 0 or 1."),
        },
        _ => Text(subject),
    };

    private Array Elements(GgufValueType type, string subject, int depth)
    {
        long count = Count(BytesOf(type), subject);
        if (count > Array.MaxLength)
            throw new ModelFormatException(path, subject, $"is a list of {count} entries, which is too long.");
        switch (type)
        {
            case GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool:
                return new ReadOnlySpan<byte>(Take(count, subject), (int)count).ToArray();
            case GgufValueType.UInt32 or GgufValueType.Int32:
                int[] integers = new int[count];
                for (int i = 0; i < integers.Length; i++)
                {
                    integers[i] = Number<int>(subject);
                    if (type == GgufValueType.UInt32 && integers[i] < 0)
                        throw new ModelFormatException(path, subject, $"has {(uint)integers[i]} at {i}, beyond 2^31 − 1.");
                }
                return integers;
            case GgufValueType.Float32:
                float[] floats = new float[count];
                for (int i = 0; i < floats.Length; i++)
                    floats[i] = Number<float>(subject);
                return floats;
            case GgufValueType.String:
                string[] texts = new string[count];
                for (int i = 0; i < texts.Length; i++)
                    texts[i] = Text(subject);
                return texts;
            case GgufValueType.Array:
                if (depth == MostDepth)
                    throw new ModelFormatException(path, subject, $"has lists in lists more than {MostDepth} deep.");
                Array[] lists = new Array[count];
                for (int i = 0; i < lists.Length; i++)
                    lists[i] = Elements(Type(subject), subject, depth + 1);
                return lists;
            default:
                object[] values = new object[count];
                for (int i = 0; i < values.Length; i++)
                    values[i] = ReadOne(type, subject);
                return values;
        }
    }

    // Bytes that an entry of a list takes at least.
    private static int BytesOf(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.Array => 12,
        _ => 8,
    };

    private byte* Take(long count, string subject)
    {
        if (count > Left)
            throw new ModelFormatException(path, subject, $"ends beyond the file: {count} bytes are asked for at byte {Position} of {length}.");
        byte* at = start + Position;
        Position += count;
        return at;
    }
}
