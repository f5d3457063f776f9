using System.Globalization;
using KvTiers.Serialization;

namespace KvTiers.Sessions.Tests.Serialization;

public sealed class MessagePackTests
{
    [Fact]
    public void EveryValueIsWrittenAsTheIndependentImplementationWritesIt()
    {
        var kinds = new HashSet<string>();
        foreach ((string kind, string value, byte[] start, int length) in Fixture.Values())
        {
            byte[] written = Write(kind, value);
            Assert.Equal(length, written.Length);
            Assert.Equal(start, written[..start.Length]);
            kinds.Add(kind);
        }

        Assert.Equal(["array", "bytes", "double", "int", "map", "repeat", "string"], kinds.Order());
    }

    [Fact]
    public void EveryValueIsReadBack()
    {
        foreach ((string kind, string value, _, _) in Fixture.Values())
        {
            var reader = new MessagePackReader(Write(kind, value));
            switch (kind)
            {
                case "int":
                    Assert.Equal(long.Parse(value, CultureInfo.InvariantCulture), reader.ReadInt64());
                    break;
                case "double":
                    Assert.Equal(BitConverter.DoubleToInt64Bits(Number(value)), BitConverter.DoubleToInt64Bits(reader.ReadDouble()));
                    break;
                case "string":
                    Assert.Equal(value, reader.ReadString());
                    break;
                case "repeat":
                    Assert.Equal(new string('x', int.Parse(value, CultureInfo.InvariantCulture)), reader.ReadString());
                    break;
                case "bytes":
                    Assert.Equal(Enumerable.Repeat((byte)0xAB, int.Parse(value, CultureInfo.InvariantCulture)), reader.ReadBytes().ToArray());
                    break;
                case "array":
                    Assert.Equal(Enumerable.Repeat(7, int.Parse(value, CultureInfo.InvariantCulture)), reader.ReadInt32Array());
                    break;
                case "map":
                    Assert.Equal(int.Parse(value, CultureInfo.InvariantCulture), reader.ReadMapHeader());
                    continue;
            }

            Assert.True(reader.AtEnd);
        }
    }

    [Fact]
    public void SkipPassesOverEveryValue()
    {
        foreach ((string kind, string value, _, _) in Fixture.Values())
        {
            var reader = new MessagePackReader(Write(kind, value));
            reader.Skip();
            Assert.True(reader.AtEnd);
        }
    }

    [Fact]
    public void IntegersOfAnyWidthAreRead()
    {
        foreach (string hex in new[] { "05", "cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005", "d10005", "d200000005", "d30000000000000005" })
            Assert.Equal(5, new MessagePackReader(Convert.FromHexString(hex)).ReadInt32());
        Assert.Equal(1.5, new MessagePackReader(Convert.FromHexString("ca3fc00000")).ReadDouble());
    }

    [Theory]
    [InlineData("cfffffffffffffffff")] // above long
    [InlineData("a5")] // no integer
    [InlineData("cd00")] // ends early
    [InlineData("")]
    [InlineData("c1")] // never used
    public void WhatIsNoIntegerIsRefused(string hex) =>
        Assert.Throws<FormatException>(() => new MessagePackReader(Convert.FromHexString(hex)).ReadInt64());

    [Theory]
    [InlineData("ddffffffff")] // an array of 4 billion
    [InlineData("dd7fffffff")]
    [InlineData("dc000201")] // two values, one there
    [InlineData("91c4ff")]
    public void ACountIsBelievedOnlyAsFarAsThereAreBytes(string hex) =>
        Assert.Throws<FormatException>(() => new MessagePackReader(Convert.FromHexString(hex)).ReadInt32Array());

    [Fact]
    public void ALyingMapCountIsRefused() =>
        Assert.Throws<FormatException>(() => new MessagePackReader(Convert.FromHexString("df7fffffff0101")).ReadMapHeader());

    [Theory]
    [InlineData("a2c328")] // not UTF-8
    [InlineData("d9ff61")]
    [InlineData("dbffffffff")]
    [InlineData("c0")]
    public void WhatIsNoStringIsRefused(string hex) =>
        Assert.Throws<FormatException>(() => new MessagePackReader(Convert.FromHexString(hex)).ReadString());

    [Fact]
    public void DeepNestingEndsInAnErrorNotInAStackOverflow() =>
        Assert.Throws<FormatException>(() => new MessagePackReader(Enumerable.Repeat((byte)0x91, 100_000).ToArray()).Skip());

    [Fact]
    public void ExtensionTypesAreRefused() =>
        Assert.Throws<FormatException>(() => new MessagePackReader(Convert.FromHexString("d40101")).Skip());

    [Fact]
    public void HalfASurrogatePairIsNotWritten() =>
        Assert.Throws<ArgumentException>(() => new MessagePackWriter().Write("\uD83D"));

    private static double Number(string value) => value switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.Parse(value, CultureInfo.InvariantCulture),
    };

    private static byte[] Write(string kind, string value)
    {
        var writer = new MessagePackWriter();
        int Count() => int.Parse(value, CultureInfo.InvariantCulture);
        switch (kind)
        {
            case "int":
                writer.Write(long.Parse(value, CultureInfo.InvariantCulture));
                break;
            case "double":
                writer.Write(Number(value));
                break;
            case "string":
                writer.Write(value);
                break;
            case "repeat":
                writer.Write(new string('x', Count()));
                break;
            case "bytes":
                writer.Write(Enumerable.Repeat((byte)0xAB, Count()).ToArray().AsSpan());
                break;
            case "array":
                writer.Write(Enumerable.Repeat(7, Count()).ToArray().AsSpan());
                break;
            case "map":
                writer.WriteMapHeader(Count());
                for (int i = 0; i < Count(); i++)
                {
                    writer.Write(i);
                    writer.Write(7);
                }

                break;
        }

        return writer.Written.ToArray();
    }
}
