using KvTiers.Cli.Size;

namespace KvTiers.Cli.Tests.Size;

public class ByteTextTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1 kB")]
    [InlineData(9994, "9.99 kB")]
    [InlineData(9996, "10 kB")]
    [InlineData(99940, "99.9 kB")]
    [InlineData(99960, "100 kB")]
    [InlineData(999_499, "999 kB")]
    [InlineData(999_500, "1 MB")]
    [InlineData(2_621_440, "2.62 MB")]
    [InlineData(262_144_000_000, "262 GB")]
    public void ThreeDigitsInDecimalUnits(long bytes, string text) => Assert.Equal(text, ByteText.Decimal(bytes));

    [Theory]
    [InlineData(1, "1MiB")]
    [InlineData(1 << 20, "1MiB")]
    [InlineData((1 << 20) + 1, "2MiB")]
    [InlineData((10L << 30) - 1, "10240MiB")]
    [InlineData(10L << 30, "10GiB")]
    [InlineData((10L << 30) + 1, "11GiB")]
    public void AFlagIsRoundedUp(long bytes, string text) => Assert.Equal(text, ByteText.Flag(bytes));
}
