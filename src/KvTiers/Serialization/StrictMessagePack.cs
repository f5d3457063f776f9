using System.Text.Unicode;
using MessagePack;

namespace KvTiers.Serialization;

/// <summary>MessagePack by the library's reader and writer, for bytes that may be damaged: what the library would let pass is refused here.</summary>
/// <remarks>
/// By itself the library replaces text that is not Unicode, reads nil as no text and text as bytes, and leaves what follows a value unread. Records are read
/// and written part by part: attributes (<c>[MessagePackObject]</c>) would also write nil for what is not there and pass over missing and doubled parts, and they
/// generate code when first used, which costs a server's start about a tenth of a second (docs/performance.md).
/// </remarks>
internal static class StrictMessagePack
{
    /// <summary>Values may be nested 32 deep: nothing that is written here is deeper than 5.</summary>
    public static MessagePackSecurity Security { get; } = MessagePackSecurity.UntrustedData.WithMaximumObjectGraphDepth(32);

    /// <summary>Reads the one value that <paramref name="bytes"/> are.</summary>
    /// <param name="bytes">The value, and nothing after it.</param>
    /// <param name="read">Reads it. What a constructor refuses with an <see cref="ArgumentException"/> on the way is damage too.</param>
    /// <exception cref="FormatException">They are something else; the message names the offset.</exception>
    public static T Decode<T>(ReadOnlyMemory<byte> bytes, ReadValue<T> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var reader = new MessagePackReader(bytes);
        try
        {
            T value = read(ref reader);
            return reader.End ? value : throw new FormatException($"The value ends at offset {reader.Consumed} of {bytes.Length}.");
        }
        catch (Exception fault) when (fault is MessagePackSerializationException or EndOfStreamException or OverflowException or ArgumentException or InsufficientExecutionStackException)
        {
            throw new FormatException($"Before offset {reader.Consumed} of {bytes.Length}: {fault.Message}", fault);
        }
    }

    /// <summary>Reads a text.</summary>
    public static string ReadText(this ref MessagePackReader reader) => StrictUtf8.Encoding.GetString(reader.ReadUtf8());

    /// <summary>Reads bytes in place.</summary>
    public static ReadOnlySpan<byte> ReadBinary(this ref MessagePackReader reader)
    {
        reader.Expect(MessagePackType.Binary);
        return reader.ReadBytes().GetValueOrDefault().FirstSpan;
    }

    /// <summary>Reads an array of integers that fit 32 bits.</summary>
    public static int[] ReadNumbers(this ref MessagePackReader reader)
    {
        int[] values = new int[reader.ReadArrayHeader()];
        for (int i = 0; i < values.Length; i++)
            values[i] = reader.ReadInt32();
        return values;
    }

    /// <summary>Passes over one value of any kind but an extension. Texts in it are Unicode.</summary>
    public static void SkipValue(this ref MessagePackReader reader)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.String:
                if (!Utf8.IsValid(reader.ReadUtf8()))
                    throw new FormatException($"The text before offset {reader.Consumed} is not UTF-8.");
                break;
            case MessagePackType.Binary:
                _ = reader.ReadBinary();
                break;
            case MessagePackType.Array:
                reader.SkipValues(reader.ReadArrayHeader());
                break;
            case MessagePackType.Map:
                reader.SkipValues(2L * reader.ReadMapHeader());
                break;
            case MessagePackType.Nil or MessagePackType.Boolean or MessagePackType.Integer or MessagePackType.Float:
                reader.Skip();
                break;
            default:
                throw new FormatException($"At offset {reader.Consumed}, the byte 0x{reader.NextCode:X2} begins an extension or nothing.");
        }
    }

    /// <summary>Writes a text.</summary>
    /// <exception cref="ArgumentException">It holds half of a surrogate pair, which UTF-8 cannot carry.</exception>
    public static void WriteText(this ref MessagePackWriter writer, string text)
    {
        int bytes = StrictUtf8.Encoding.GetByteCount(text);
        writer.WriteStringHeader(bytes);
        writer.Advance(StrictUtf8.Encoding.GetBytes(text, writer.GetSpan(bytes)));
    }

    /// <summary>Writes an array of integers.</summary>
    public static void WriteNumbers(this ref MessagePackWriter writer, ReadOnlySpan<int> values)
    {
        writer.WriteArrayHeader(values.Length);
        foreach (int value in values)
            writer.Write(value);
    }

    private static void SkipValues(this ref MessagePackReader reader, long count)
    {
        Security.DepthStep(ref reader);
        for (; count > 0; count--)
            reader.SkipValue();
        reader.Depth--;
    }

    private static ReadOnlySpan<byte> ReadUtf8(this ref MessagePackReader reader)
    {
        reader.Expect(MessagePackType.String);
        return reader.TryReadStringSpan(out ReadOnlySpan<byte> utf8) ? utf8 : reader.ReadStringSequence().GetValueOrDefault().FirstSpan;
    }

    private static void Expect(this ref MessagePackReader reader, MessagePackType type)
    {
        if (reader.NextMessagePackType != type)
            throw new FormatException($"At offset {reader.Consumed}, the byte 0x{reader.NextCode:X2} does not begin what should be there ({type}).");
    }
}
