using System.Buffers;
using System.Globalization;
using KvTiers.Serialization;
using MessagePack;

namespace KvTiers.Sessions.Tests.Serialization;

/// <summary>The library and an independent implementation mean the same bytes, for all 63 values of the fixture.</summary>
public sealed class FixtureValueTests
{
    [Fact]
    public void EveryValueIsWrittenAsTheIndependentImplementationWritesIt()
    {
        var kinds = new List<string>();
        foreach ((string kind, string value, byte[] start, int length) in Fixture.Values())
        {
            byte[] written = Write(kind, value);
            Assert.Equal(length, written.Length);
            Assert.Equal(start, written[..start.Length]);
            kinds.Add(kind);
        }

        Assert.Equal(63, kinds.Count);
        Assert.Equal(["array", "bytes", "double", "int", "map", "repeat", "string"], kinds.Distinct().Order());
    }

    [Fact]
    public void EveryValueIsReadBack()
    {
        foreach ((string kind, string value, _, _) in Fixture.Values())
        {
            byte[] written = Write(kind, value);
            switch (kind)
            {
                case "int":
                    Assert.Equal(long.Parse(value, CultureInfo.InvariantCulture), StrictMessagePack.Decode(written, static (ref reader) => reader.ReadInt64()));
                    break;
                case "double":
                    Assert.Equal(
                        BitConverter.DoubleToInt64Bits(Number(value)),
                        BitConverter.DoubleToInt64Bits(StrictMessagePack.Decode(written, static (ref reader) => reader.ReadDouble())));
                    break;
                case "string":
                    Assert.Equal(value, StrictMessagePack.Decode(written, static (ref reader) => reader.ReadText()));
                    break;
                case "repeat":
                    Assert.Equal(new string('x', Count(value)), StrictMessagePack.Decode(written, static (ref reader) => reader.ReadText()));
                    break;
                case "bytes":
                    Assert.Equal(Enumerable.Repeat((byte)0xAB, Count(value)), StrictMessagePack.Decode(written, static (ref reader) => reader.ReadBinary().ToArray()));
                    break;
                case "array":
                    Assert.Equal(Enumerable.Repeat(7, Count(value)), StrictMessagePack.Decode(written, static (ref reader) => reader.ReadNumbers()));
                    break;
                case "map":
                    Assert.Equal(
                        Enumerable.Range(0, Count(value)).SelectMany(key => new[] { key, 7 }),
                        StrictMessagePack.Decode(written, static (ref reader) =>
                        {
                            int[] numbers = new int[2 * reader.ReadMapHeader()];
                            for (int i = 0; i < numbers.Length; i++)
                                numbers[i] = reader.ReadInt32();
                            return numbers;
                        }));
                    break;
            }
        }
    }

    [Fact]
    public void EveryValueCanBePassedOver()
    {
        foreach ((string kind, string value, _, _) in Fixture.Values())
        {
            byte[] written = Write(kind, value);
            Assert.Equal(written.Length, StrictMessagePack.Decode(written, static (ref reader) =>
            {
                reader.SkipValue();
                return reader.Consumed;
            }));
        }
    }

    private static int Count(string value) => int.Parse(value, CultureInfo.InvariantCulture);

    private static double Number(string value) => value switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.Parse(value, CultureInfo.InvariantCulture),
    };

    private static byte[] Write(string kind, string value)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(bytes);
        switch (kind)
        {
            case "int":
                writer.Write(long.Parse(value, CultureInfo.InvariantCulture));
                break;
            case "double":
                writer.Write(Number(value));
                break;
            case "string":
                writer.WriteText(value);
                break;
            case "repeat":
                writer.WriteText(new string('x', Count(value)));
                break;
            case "bytes":
                writer.Write(Enumerable.Repeat((byte)0xAB, Count(value)).ToArray().AsSpan());
                break;
            case "array":
                writer.WriteNumbers(Enumerable.Repeat(7, Count(value)).ToArray());
                break;
            case "map":
                writer.WriteMapHeader(Count(value));
                for (int i = 0; i < Count(value); i++)
                {
                    writer.Write(i);
                    writer.Write(7);
                }

                break;
        }

        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }
}
