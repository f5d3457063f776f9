using System.Buffers;
using KvTiers.Serialization;
using MessagePack;

namespace KvTiers.Tests.Serialization;

public sealed class StrictMessagePackTests
{
    [Theory]
    [InlineData("05")]
    [InlineData("cc05")]
    [InlineData("cd0005")]
    [InlineData("ce00000005")]
    [InlineData("cf0000000000000005")]
    [InlineData("d005")]
    [InlineData("d10005")]
    [InlineData("d200000005")]
    [InlineData("d30000000000000005")]
    public void AnIntegerOfAnyWidthIsRead(string hex) => Assert.Equal(5, Integer(hex));

    [Theory]
    [InlineData("cfffffffffffffffff")] // above long
    [InlineData("ce80000000")] // above int
    [InlineData("a135")] // text
    [InlineData("c0")]
    [InlineData("c3")]
    [InlineData("ca40a00000")] // 5.0
    [InlineData("cd00")] // ends early
    [InlineData("")]
    [InlineData("c1")] // never used
    [InlineData("0505")] // something after it
    [InlineData("05c1")]
    public void WhatIsNotOneIntegerIsRefused(string hex) => Assert.Throws<FormatException>(() => Integer(hex));

    [Theory]
    [InlineData("a2c328")] // no UTF-8
    [InlineData("a2c080")] // overlong
    [InlineData("a3eda080")] // a high surrogate alone
    [InlineData("a6eda0bdedb880")] // a surrogate pair, each half by itself
    [InlineData("a4f4908080")] // above U+10FFFF
    [InlineData("a1e2")] // cut
    [InlineData("d9ff61")] // ends early
    [InlineData("db0000000261")]
    [InlineData("c0")] // the library reads no text here
    [InlineData("c40161")] // bytes
    [InlineData("05")]
    [InlineData("a16105")]
    public void WhatIsNotOneTextIsRefused(string hex)
    {
        Assert.Throws<FormatException>(() => Text(hex));
        if (hex[..2] is not ("c0" or "c4" or "05"))
            Assert.Throws<FormatException>(() => PassOver(hex));
    }

    [Theory]
    [InlineData("a161")] // the library reads a text's bytes here
    [InlineData("c0")] // and none here
    [InlineData("05")]
    [InlineData("91c40161")]
    [InlineData("c402ab")]
    [InlineData("c401abab")]
    public void WhatIsNotOneByteArrayIsRefused(string hex) => Assert.Throws<FormatException>(() => Binary(hex));

    /// <summary>Nobody sets memory aside for what is not there, be it said to be 4 GiB, 2 GiB or one more than there is.</summary>
    [Theory]
    [InlineData("ddffffffff0000000000")] // arrays
    [InlineData("dd800000000000000000")]
    [InlineData("dd7fffffff0000000000")]
    [InlineData("dd000000060000000000")]
    [InlineData("dcffff00000000000000")]
    [InlineData("dfffffffff0000000000")] // maps
    [InlineData("df800000000000000000")]
    [InlineData("df7fffffff0000000000")]
    [InlineData("df000000030000000000")]
    [InlineData("dbffffffff6161616161")] // texts
    [InlineData("db800000006161616161")]
    [InlineData("db7fffffff6161616161")]
    [InlineData("db000000066161616161")]
    [InlineData("c6ffffffff0000000000")] // bytes
    [InlineData("c6800000000000000000")]
    [InlineData("c67fffffff0000000000")]
    [InlineData("c6000000060000000000")]
    [InlineData("92ddffffffff00000000")] // within another
    [InlineData("91ddffffffff00000000")]
    [InlineData("9291dbffffffff616161")]
    public void ALengthIsBelievedOnlyAsFarAsThereAreBytes(string hex)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<FormatException>(() => Numbers(hex));
        Assert.Throws<FormatException>(() => Text(hex));
        Assert.Throws<FormatException>(() => Binary(hex));
        Assert.Throws<FormatException>(() => PassOver(hex));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024); // exceptions and their traces
    }

    [Fact]
    public void ValuesMayBeNestedAsDeepAsTheLimitAndNoDeeper()
    {
        const int Limit = 32;
        Assert.Equal(Limit, StrictMessagePack.Security.MaximumObjectGraphDepth);
        Assert.True(StrictMessagePack.Security.HashCollisionResistant);
        PassOver(string.Concat(Enumerable.Repeat("91", Limit)) + "05");
        PassOver(string.Concat(Enumerable.Repeat("8105", Limit)) + "05");
        Assert.Throws<FormatException>(() => PassOver(string.Concat(Enumerable.Repeat("91", Limit + 1)) + "05"));
        Assert.Throws<FormatException>(() => PassOver(string.Concat(Enumerable.Repeat("8105", Limit + 1)) + "05"));
        Assert.Throws<FormatException>(() => PassOver(string.Concat(Enumerable.Repeat("91", 100_000)) + "05"));
        PassOver("93" + string.Concat(Enumerable.Repeat("91", Limit - 1)) + "05" + string.Concat(Enumerable.Repeat("91", Limit - 1)) + "0505"); // beside one another
    }

    [Theory]
    [InlineData("d40101")] // extensions
    [InlineData("c7010101")]
    [InlineData("91d40101")]
    [InlineData("8105d40101")]
    [InlineData("c1")]
    [InlineData("91c1")]
    public void ExtensionsAndTheCodeThatIsNeverUsedAreRefused(string hex) => Assert.Throws<FormatException>(() => PassOver(hex));

    [Fact]
    public void WhatAConstructorRefusesIsDamage()
    {
        FormatException fault = Assert.Throws<FormatException>(() => StrictMessagePack.Decode(Convert.FromHexString("c40161"), static (ref reader) => new Guid(reader.ReadBinary())));
        Assert.IsType<ArgumentException>(fault.InnerException);
    }

    [Fact]
    public void AFaultThatIsNoDamageStaysWhatItIs() => Assert.Throws<InvalidOperationException>(
        () => StrictMessagePack.Decode<int>(Convert.FromHexString("05"), static (ref _) => throw new InvalidOperationException()));

    [Fact]
    public void HalfASurrogatePairIsNotWritten()
    {
        foreach (string text in new[] { "\uD83D", "\uDE00", "a\uD83Db", "\uDE00\uD83D" })
        {
            Assert.ThrowsAny<ArgumentException>(() =>
            {
                var writer = new MessagePackWriter(new ArrayBufferWriter<byte>());
                writer.WriteText(text);
            });
        }
    }

    private static long Integer(string hex) => StrictMessagePack.Decode(Convert.FromHexString(hex), static (ref reader) => reader.ReadInt32());

    private static string Text(string hex) => StrictMessagePack.Decode(Convert.FromHexString(hex), static (ref reader) => reader.ReadText());

    private static byte[] Binary(string hex) => StrictMessagePack.Decode(Convert.FromHexString(hex), static (ref reader) => reader.ReadBinary().ToArray());

    private static int[] Numbers(string hex) => StrictMessagePack.Decode(Convert.FromHexString(hex), static (ref reader) => reader.ReadNumbers());

    private static long PassOver(string hex) => StrictMessagePack.Decode(Convert.FromHexString(hex), static (ref reader) =>
    {
        reader.SkipValue();
        return reader.Consumed;
    });
}
