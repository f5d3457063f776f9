using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Tests.Configuration;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("4096", 4096L)]
    [InlineData("17B", 17L)]
    [InlineData("1KiB", 1024L)]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("1.5GiB", 3L << 29)]
    [InlineData("2 tib", 2L << 40)]
    [InlineData("512MB", 512_000_000L)]
    [InlineData(" 1kb ", 1000L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void ReadsSizesInEveryUnit(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1MiB")]
    [InlineData("1,5GiB")]
    [InlineData("12 parsecs")]
    [InlineData("1e3")]
    [InlineData("9223372036854775808")]
    [InlineData("8388608TiB")]
    [InlineData("99999999999999999999999999999999GiB")]
    public void RefusesWhatIsNoSize(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Theory]
    [InlineData(0L, "0 B")]
    [InlineData(1023L, "1023 B")]
    [InlineData(1024L, "1 KiB")]
    [InlineData(3L << 29, "1.5 GiB")]
    [InlineData(512L << 20, "512 MiB")]
    public void WritesTheLargestUnitThatFits(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
