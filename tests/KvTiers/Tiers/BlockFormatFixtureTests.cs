using System.Buffers.Binary;
using KvTiers.Blocks;
using KvTiers.Keys;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>The committed records of every format version, which another program wrote from <c>docs/block-format.md</c>.</summary>
public sealed class BlockFormatFixtureTests
{
    private static readonly BlockLayout Layout = new(Layers: 2, KvHeads: 1, HeadDim: 16);
    private static readonly BlockHash Hash = BlockHash.Root("model"u8, Layout, []).Next([.. Enumerable.Range(1, 16)]);

    private static readonly BlockAttributes Attributes = new()
    {
        TokenCount = 16,
        Priority = 3,
        Tenant = 42,
        Expires = DateTimeOffset.FromUnixTimeMilliseconds(1_893_456_000_000),
    };

    [Theory]
    [InlineData(BlockEncoding.Hot, "hot")]
    [InlineData(BlockEncoding.BFloat16, "bf16")]
    [InlineData(BlockEncoding.Float8E4M3, "fp8")]
    [InlineData(BlockEncoding.Int8, "int8")]
    [InlineData(BlockEncoding.Int4, "int4")]
    [InlineData(BlockEncoding.Hot, "hot-authentic")]
    [InlineData(BlockEncoding.Hot, "hot-encrypted")]
    [InlineData(BlockEncoding.Int8, "int8-authentic")]
    [InlineData(BlockEncoding.Int8, "int8-encrypted")]
    public void ACommittedRecordIsReadAndWrittenByteForByte(BlockEncoding encoding, string name)
    {
        byte[] record = File.ReadAllBytes(PathOf(BlockRecord.FormatVersion, name));
        BlockRecord format = FormatOf(encoding, name);
        byte[] block = new byte[Layout.BytesPerBlock];
        Assert.Equal(RecordFault.None, format.TryRead(Hash, record, block));
        Assert.Equal(ExpectedBlock(encoding), block);

        Assert.Equal(RecordFault.None, format.TryReadHeader(record, out RecordHeader header));
        Assert.Equal((Hash, Attributes, 123456789L), (header.Hash, header.Attributes, header.Sequence));

        byte[] written = new byte[record.Length];
        format.Write(Hash, Attributes, header.Sequence, block, written);
        Assert.Equal(record, written);
    }

    [Fact]
    public void EveryVersionHasItsRecordAndOnlyThePresentOneIsRead()
    {
        var format = new BlockRecord(BlockCodec.Create(Layout, BlockEncoding.Hot));
        byte[] block = new byte[Layout.BytesPerBlock];
        for (int version = 1; version <= BlockRecord.FormatVersion; version++)
        {
            RecordFault fault = format.TryRead(Hash, File.ReadAllBytes(PathOf(version, "hot")), block);
            Assert.Equal(version == BlockRecord.FormatVersion ? RecordFault.None : RecordFault.OtherVersion, fault);
        }
    }

    [Theory]
    [InlineData(BlockEncoding.Hot, "hot", BlockRecord.SummedBytes)]
    [InlineData(BlockEncoding.Hot, "hot-authentic", RecordSeal.HeaderBytes)]
    [InlineData(BlockEncoding.Int8, "int8-encrypted", RecordSeal.HeaderBytes)]
    public void AnyOtherBitOfTheHeaderOrThePayloadIsAFault(BlockEncoding encoding, string name, int headerBytes)
    {
        byte[] record = File.ReadAllBytes(PathOf(BlockRecord.FormatVersion, name));
        BlockRecord format = FormatOf(encoding, name);
        byte[] block = new byte[Layout.BytesPerBlock];
        int end = BlockRecord.SectorBytes + BinaryPrimitives.ReadInt32LittleEndian(record.AsSpan(12));
        for (int at = 0; at < end; at++)
        {
            bool isChecked = at < headerBytes || at >= BlockRecord.SectorBytes;
            for (int bit = 0; bit < 8 && isChecked; bit++)
            {
                record[at] ^= (byte)(1 << bit);
                Assert.NotEqual(RecordFault.None, format.TryRead(Hash, record, block));
                record[at] ^= (byte)(1 << bit);
            }
        }
    }

    // As in make.py: the key's bytes are 0, 1, 2, …, the salt's 100, 101, …, and it is the seventh record of its writer.
    private static BlockRecord FormatOf(BlockEncoding encoding, string name)
    {
        BlockCodec codec = BlockCodec.Create(Layout, encoding);
        if (!name.Contains('-', StringComparison.Ordinal))
            return new BlockRecord(codec);
        var key = new RecordKey([.. Enumerable.Range(0, RecordKey.ByteCount).Select(i => (byte)i)]);
        var protection = new RecordProtection(new KeyRing(key)) { Encrypts = name.EndsWith("encrypted", StringComparison.Ordinal) };
        return new BlockRecord(codec, new RecordSeal(protection, [.. Enumerable.Range(100, 16).Select(i => (byte)i)], counter: 7));
    }

    private static string PathOf(int version, string encoding) =>
        Path.Combine(RepositoryFiles.Root, "tests", "Golden", "block-format", $"v{version}-{encoding}.kvb");

    // As in make.py: every value is a code times a power of two, so no encoding has anything to round.
    private static byte[] ExpectedBlock(BlockEncoding encoding)
    {
        byte[] block = new byte[Layout.BytesPerBlock];
        int element = 0;
        for (int layer = 0; layer < Layout.Layers; layer++)
        {
            for (int d = 0; d < 16; d++)
            {
                for (int t = 0; t < 16; t++)
                    Put(layer, 0, t, d);
            }
            for (int t = 0; t < 16; t++)
            {
                for (int d = 0; d < 16; d++)
                    Put(layer, 1, t, d);
            }
        }

        return block;

        void Put(int layer, int kind, int token, int dimension)
        {
            float scale = encoding >= BlockEncoding.Float8E4M3 ? MathF.Pow(2, -(token / 4)) : 0.5f;
            float value = Code(encoding, (layer * 1000) + (kind * 500) + (token * 16) + dimension, dimension) * scale;
            BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(element++ * sizeof(float)), value);
        }
    }

    private static float Code(BlockEncoding encoding, int n, int dimension)
    {
        if (encoding == BlockEncoding.Int4)
            return dimension == 0 ? 7 : (n * 37 % 15) - 7;
        if (encoding != BlockEncoding.Float8E4M3)
            return dimension == 0 ? 127 : (n * 37 % 255) - 127;
        float value = dimension == 0 ? 448 : Float8(n * 37 % 127);
        return n % 2 == 1 && value != 0 ? -value : value;
    }

    private static float Float8(int code)
    {
        (int exponent, int mantissa) = (code >> 3, code & 7);
        return exponent == 0 ? mantissa / 512f : (1 + (mantissa / 8f)) * MathF.Pow(2, exponent - 7);
    }
}
