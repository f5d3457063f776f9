using KvTiers.Orleans.Placement;

namespace KvTiers.Orleans.Tests.Placement;

/// <summary>Of what silos tell, damage is nothing; what a later build adds is passed over.</summary>
public sealed class SummaryDamageTests
{
    private static readonly byte[] Bits = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];

    [Fact]
    public void AReportIsReadAsItWasWritten()
    {
        Assert.Equal([0x94, 1, 7, 0xCD, 0x01, 0x2C, 42], RedisSummaryChannel.Encode(new SiloReport(7, 300, 42)).ToArray());
        Assert.Equal(new SiloReport(7, 300, 42), RedisSummaryChannel.DecodeReport([0x94, 1, 7, 0xCD, 0x01, 0x2C, 42]));
    }

    [Fact]
    public void ASummaryIsReadAsItWasWritten()
    {
        byte[] bytes = RedisSummaryChannel.Encode(BlockSummary.Read(Bits)!).ToArray();
        Assert.Equal([0x92, 1, 0xC4, 64, .. Bits], bytes);
        Assert.Equal(Bits, RedisSummaryChannel.DecodeSummary(bytes)!.Bits.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("9401070304c0")] // something follows
    [InlineData("940107032ac1")]
    [InlineData("9401")] // parts are missing
    [InlineData("940107")]
    [InlineData("93010703")]
    [InlineData("940207032a")] // another format
    [InlineData("94c007032a")]
    [InlineData("c1")]
    [InlineData("c0")]
    [InlineData("84010703042a05060708")] // a map
    [InlineData("9401a137032a")] // text
    [InlineData("940107c02a")] // nil, which attributes read as 0
    [InlineData("94010703ca42280000")] // 42.0
    [InlineData("94010703ce80000000")] // above int
    [InlineData("9401cfffffffffffffffff032a")] // above long
    [InlineData("ddffffffff01070304")] // 4 billion parts
    [InlineData("dd7fffffff01070304")]
    [InlineData("950107032aa2c328")] // an added part that is no UTF-8
    [InlineData("950107032aa3eda080")] // half of a surrogate pair
    [InlineData("950107032ad40101")] // an extension
    [InlineData("950107032adbffffffff")]
    [InlineData("950107032ac6ffffffff")]
    public void AReportThatIsDamagedIsNone(string hex)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(RedisSummaryChannel.DecodeReport(Convert.FromHexString(hex)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
    }

    [Theory]
    [InlineData("")]
    [InlineData("9201")]
    [InlineData("9201c0")] // nil
    [InlineData("9201d940{0}")] // text
    [InlineData("9201c43f{0}")] // no power of two, and something follows
    [InlineData("9201c440{0}c0")] // something follows
    [InlineData("9202c440{0}")] // another format
    [InlineData("8201c440{0}0102")] // a map
    [InlineData("9201c441{0}")] // ends early
    [InlineData("9201c6ffffffff{0}")] // 4 GiB
    [InlineData("9201c680000000{0}")]
    [InlineData("ddffffffff01c440{0}")]
    [InlineData("9301c440{0}a1ff")] // an added part that is no UTF-8
    [InlineData("9301c440{0}d40101")] // an extension
    public void ASummaryThatIsDamagedIsNone(string hex)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(RedisSummaryChannel.DecodeSummary(Convert.FromHexString(hex.Replace("{0}", Convert.ToHexString(Bits), StringComparison.Ordinal))));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
    }

    [Fact]
    public void WhatIsNestedTooDeepIsNone()
    {
        byte[] deep = [.. Enumerable.Repeat((byte)0x91, 1_000_000), 0xC0];
        Assert.Null(RedisSummaryChannel.DecodeReport(deep));
        Assert.Null(RedisSummaryChannel.DecodeReport([0x95, 1, 7, 3, 42, .. deep]));
        Assert.Null(RedisSummaryChannel.DecodeSummary([0x93, 1, 0xC4, 64, .. Bits, .. deep]));
    }

    [Fact]
    public void BothMayGrow()
    {
        Assert.Equal(new SiloReport(1, 2, 3), RedisSummaryChannel.DecodeReport([0x95, 1, 1, 2, 3, 4]));
        Assert.Equal(new SiloReport(1, 2, 3), RedisSummaryChannel.DecodeReport([0x96, 1, 1, 2, 3, 0x81, 0xA1, 0x61, 0x92, 0xC0, 0xC3, 0xCB, 0, 0, 0, 0, 0, 0, 0, 0]));
        Assert.Equal(Bits, RedisSummaryChannel.DecodeSummary([0x93, 1, 0xC4, 64, .. Bits, 0xC0])!.Bits.ToArray());
    }

    [Fact]
    public void NothingIsReadFromNothing()
    {
        Assert.Null(RedisSummaryChannel.DecodeReport(null));
        Assert.Null(RedisSummaryChannel.DecodeSummary(null));
    }
}
