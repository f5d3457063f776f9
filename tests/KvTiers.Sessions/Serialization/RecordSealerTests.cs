using System.Text;
using KvTiers.Sessions.Serialization;
using KvTiers.Sessions.Tests.Storage;

namespace KvTiers.Sessions.Tests.Serialization;

public sealed class RecordSealerTests
{
    private static readonly byte[] Place = RecordSealer.ContextOf("tenant", "one", "2");
    private static readonly byte[] Payload = [.. Encoding.UTF8.GetBytes("what was said"), .. new byte[3000]];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatIsSealedIsOpenedInItsPlaceAndInNoOther(bool encrypts)
    {
        var sealer = new RecordSealer(TestKeys.Protection(encrypts));
        byte[] record = sealer.Seal(Place, Payload);
        Assert.Equal(Payload, sealer.Open(record, Place, out bool isUnsigned).ToArray());
        Assert.False(isUnsigned);
        Assert.Equal(Payload, new RecordSealer(TestKeys.Protection(!encrypts)).Open(record, Place, out _).ToArray());
        Assert.Equal(!encrypts, Encoding.UTF8.GetString(record).Contains("what was said", StringComparison.Ordinal));
        Assert.Throws<FormatException>(() => sealer.Open(record, RecordSealer.ContextOf("tenant", "one", "3"), out _));
        Assert.NotEqual(record, sealer.Seal(Place, Payload));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryBitCounts(bool encrypts)
    {
        var sealer = new RecordSealer(TestKeys.Protection(encrypts));
        byte[] record = sealer.Seal(Place, [1, 2, 3]);
        for (int bit = 0; bit < 8 * record.Length; bit++)
        {
            record[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<FormatException>(() => sealer.Open(record, Place, out _));
            record[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < record.Length; length++)
            Assert.Throws<FormatException>(() => sealer.Open(record.AsMemory(0, length), Place, out _));
    }

    [Fact]
    public void ARecordWithoutASealIsReadOnlyIfItIsSaidThatItMay()
    {
        byte[] record = RecordSealer.None.Seal(Place, Payload);
        Assert.Equal(Payload, record);
        FormatException fault = Assert.Throws<FormatException>(() => new RecordSealer(TestKeys.Protection()).Open(record, Place, out _));
        Assert.Contains("AcceptUnsigned", fault.Message, StringComparison.Ordinal);
        Assert.Equal(Payload, new RecordSealer(TestKeys.Protection(), acceptsUnsigned: true).Open(record, Place, out bool isUnsigned).ToArray());
        Assert.True(isUnsigned);
        RecordSealer.None.Open(record, Place, out isUnsigned);
        Assert.False(isUnsigned);
    }

    [Fact]
    public void KeysAreChangedWithoutALoss()
    {
        byte[] before = new RecordSealer(TestKeys.Protection(false, TestKeys.Key(1))).Seal(Place, Payload);
        Assert.Equal(Payload, new RecordSealer(TestKeys.Protection(false, TestKeys.Key(2), TestKeys.Key(1))).Open(before, Place, out _).ToArray());
        string[] faults =
        [
            Assert.Throws<FormatException>(() => new RecordSealer(TestKeys.Protection(false, TestKeys.Key(2))).Open(before, Place, out _)).Message,
            Assert.Throws<FormatException>(() => RecordSealer.None.Open(before, Place, out _)).Message,
        ];
        Assert.All(faults, fault => Assert.Contains($"{TestKeys.Key(1).Id:x8}", fault, StringComparison.Ordinal));
    }

    [Fact]
    public void NoTwoListsOfPartsAreOnePlace() =>
        Assert.Equal(5, new[] { RecordSealer.ContextOf("a", "b"), RecordSealer.ContextOf("ab"), RecordSealer.ContextOf("a", "", "b"), RecordSealer.ContextOf("1:a1:b"), RecordSealer.ContextOf() }
            .Select(Convert.ToHexString).Distinct().Count());
}
