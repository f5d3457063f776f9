using System.Security.Cryptography;
using KvTiers.Keys;

namespace KvTiers.Tests.Keys;

public sealed class RecordKeyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void AKeyOfAnotherLengthIsRefused(int byteCount) =>
        Assert.Equal("secret", Assert.Throws<ArgumentException>(() => new RecordKey(new byte[byteCount])).ParamName);

    [Fact]
    public void WhatIsDerivedDiffersByKeyPurposeAndSalt()
    {
        byte[] secret = RandomNumberGenerator.GetBytes(RecordKey.ByteCount);
        RecordKey key = new(secret), same = new(secret), other = new(RandomNumberGenerator.GetBytes(RecordKey.ByteCount));
        Assert.Equal(key.Derive("a", [1]), same.Derive("a", [1]));
        Assert.Equal(key.Id, same.Id);
        Assert.Equal(4, new[] { key.Derive("a", [1]), key.Derive("b", [1]), key.Derive("a", [2]), other.Derive("a", [1]) }.Select(Convert.ToHexString).Distinct().Count());
        Assert.DoesNotContain(Convert.ToHexString(secret), key.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void ARingFindsItsKeysAndNoOther()
    {
        RecordKey[] keys = [.. Enumerable.Range(0, 3).Select(_ => new RecordKey(RandomNumberGenerator.GetBytes(RecordKey.ByteCount)))];
        var ring = new KeyRing(keys[0], keys[1]);
        Assert.Equal([keys[0], keys[1], null], keys.Select(key => ring.Find(key.Id)));
        Assert.Same(keys[0], ring.Writing);
    }
}
