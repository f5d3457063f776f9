using System.Security.Cryptography;
using KvTiers.Keys;

namespace KvTiers.Tests.Keys;

public sealed class SealingKeyTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(7, 32).Select(i => (byte)(i * 31))];

    /// <summary>The platform's AES-GCM is the other implementation; where the processor lacks the instructions, both are it.</summary>
    [Fact]
    public void TheCodeIsThePlatformsForEveryLength()
    {
        var hashing = new SealingKey(Key);
        using var platform = new AesGcm(Key, SealingKey.TagBytes);
        byte[] nonce = new byte[SealingKey.NonceBytes], code = new byte[SealingKey.TagBytes], expected = new byte[SealingKey.TagBytes];
        var random = new Random(3);
        foreach (int length in Enumerable.Range(0, 2200).Append(65_536).Append(1_000_003))
        {
            byte[] data = new byte[length];
            random.NextBytes(data);
            random.NextBytes(nonce);
            hashing.Authenticate(nonce, data, code);
            platform.Encrypt(nonce, Array.Empty<byte>(), Array.Empty<byte>(), expected, data);
            Assert.Equal(expected, code);
            Assert.True(hashing.IsAuthentic(nonce, data, code));
            code[random.Next(code.Length)] ^= (byte)(1 << random.Next(8));
            Assert.False(hashing.IsAuthentic(nonce, data, code));
        }
    }

    [Fact]
    public void WhatWasEncryptedInPlaceIsDecryptedInPlaceUnlessABitIsAnother()
    {
        var key = new SealingKey(Key);
        byte[] nonce = new byte[SealingKey.NonceBytes], tag = new byte[SealingKey.TagBytes];
        byte[] plain = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)], data = [.. plain];
        key.Encrypt(nonce, data, data, tag, "to whom"u8);
        byte[] sealedBytes = [.. data];
        Assert.NotEqual(plain, data);
        Assert.False(key.TryDecrypt(nonce, [.. sealedBytes], data, tag, "to another"u8));
        sealedBytes.CopyTo(data, 0);
        Assert.True(key.TryDecrypt(nonce, data, data, tag, "to whom"u8));
        Assert.Equal(plain, data);
        sealedBytes[4321] ^= 1;
        Assert.False(key.TryDecrypt(nonce, sealedBytes, data, tag, "to whom"u8));
    }

    [Fact]
    public void CodesAreRightOnManyThreadsAtOnce()
    {
        var key = new SealingKey(Key);
        Parallel.For(0, 400, number =>
        {
            byte[] nonce = new byte[SealingKey.NonceBytes], code = new byte[SealingKey.TagBytes], data = new byte[4096 + number];
            BitConverter.TryWriteBytes(nonce, number);
            key.Authenticate(nonce, data, code);
            using var platform = new AesGcm(Key, SealingKey.TagBytes);
            byte[] expected = new byte[SealingKey.TagBytes];
            platform.Encrypt(nonce, Array.Empty<byte>(), Array.Empty<byte>(), expected, data);
            Assert.Equal(expected, code);
        });
    }
}
