using KvTiers.Tiers;
using KvTiers.Tiers.Disk;

namespace KvTiers.Tests.Tiers;

public sealed class Crc32CTests
{
    /// <summary>The check value of the CRC catalogue, and the four vectors of RFC 3720, B.4.</summary>
    [Fact]
    public void KnownVectorsAgree()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
        Assert.Equal(0x113FDB5Cu, Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)(31 - i)).ToArray()));
    }

    [Fact]
    public void EveryLengthAgreesWithTheBitwiseDefinition()
    {
        var data = new byte[9_000];
        new Random(1).NextBytes(data);
        foreach (int length in Enumerable.Range(0, 40).Concat([1023, 4095, 4096, 4097, 4111, 8191, 8192, 8999]))
            Assert.Equal(Bitwise(data.AsSpan(0, length)), Crc32C.Compute(data.AsSpan(0, length)));
    }

    [Fact]
    public void PiecesGiveTheChecksumOfTheWhole()
    {
        var data = new byte[20_000];
        new Random(2).NextBytes(data);
        foreach (int cut in new[] { 0, 1, 7, 4096, 5000, 19_999, 20_000 })
            Assert.Equal(Crc32C.Compute(data), Crc32C.Append(Crc32C.Compute(data.AsSpan(0, cut)), data.AsSpan(cut)));
    }

    /// <summary>Lengths around where each way of summing begins and ends, at addresses that are aligned and that are not.</summary>
    [Fact]
    public void ACopyHasTheChecksumOfItsSourceAndTheSameBytes()
    {
        byte[] data = new byte[(64 << 10) + 400];
        new Random(3).NextBytes(data);
        using var target = new AlignedBuffer(data.Length + 64);
        foreach (int length in new[] { 0, 1, 255, 256, 4095, 4097, (16 << 10) - 1, 16 << 10, (16 << 10) + 1, (16 << 10) + 256, (64 << 10) + 255, 64 << 10 })
        {
            foreach (int offset in new[] { 0, 1, 64 })
            {
                Span<byte> copy = target.GetSpan().Slice(offset, length);
                copy.Clear();
                ReadOnlySpan<byte> source = data.AsSpan(offset, length);
                uint expected = Bitwise(source);
                Assert.Equal(expected, Crc32C.Copy(source, copy));
                Assert.True(source.SequenceEqual(copy));
                copy.Clear();
                Assert.Equal(expected, Crc32C.CopyByPieces(source, copy));
                Assert.True(source.SequenceEqual(copy));
                Assert.Equal(expected, ~Crc32C.AppendByInstruction(uint.MaxValue, source));
                Assert.Equal(expected, Crc32C.Compute(source));
            }
        }

        Assert.Throws<ArgumentException>(() => Crc32C.Copy(new byte[2], new byte[3]));
    }

    private static uint Bitwise(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
        }

        return ~crc;
    }
}
