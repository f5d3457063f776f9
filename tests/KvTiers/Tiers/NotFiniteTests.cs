using System.Buffers.Binary;
using KvTiers.Blocks;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>A record that holds what is no number is no block, whatever its checksums or its key say.</summary>
public sealed class NotFiniteTests
{
    private static readonly float[] Values = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, BitConverter.UInt32BitsToSingle(0xFFFF_FFFF)];

    public static TheoryData<KvFormat, BlockEncoding> Encodings
    {
        get
        {
            var all = new TheoryData<KvFormat, BlockEncoding>();
            foreach (KvFormat format in Enum.GetValues<KvFormat>())
            {
                foreach (BlockEncoding encoding in Enum.GetValues<BlockEncoding>())
                    all.Add(format, encoding);
            }

            return all;
        }
    }

    /// <summary>The last element, and one in the middle; in encodings with scales the scale, as no code says such a thing.</summary>
    [Theory]
    [MemberData(nameof(Encodings))]
    public void WhatIsNoNumberInARecordIsAFault(KvFormat kv, BlockEncoding encoding)
    {
        var layout = new BlockLayout(Layers: 2, KvHeads: 1, HeadDim: 16, kv);
        var format = new BlockRecord(layout, encoding);
        byte[] record = new byte[format.RecordBytes], block = new byte[layout.BytesPerBlock];
        format.Write(TestBlocks.Hash(1), TestBlocks.Attributes(), 1, BlockOf(layout), record);
        Assert.Equal(RecordFault.None, format.TryRead(TestBlocks.Hash(1), record, block));
        bool isWide = encoding == BlockEncoding.Hot && kv == KvFormat.F32;
        int bytes = format.Codec.EncodedBytes, step = isWide ? 4 : 2;
        bool hasScales = format.Codec.TokensPerScale > 0;
        foreach (float value in Values)
        {
            foreach (int at in hasScales ? [0, 2] : (int[])[0, bytes / 2, bytes - step])
            {
                byte[] changed = [.. record];
                Span<byte> payload = changed.AsSpan(BlockRecord.SectorBytes, bytes);
                if (isWide)
                    BinaryPrimitives.WriteSingleLittleEndian(payload[at..], value);
                else
                    BinaryPrimitives.WriteUInt16LittleEndian(payload[at..], (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
                Resum(changed, payload);
                Assert.Equal(RecordFault.NotFinite, format.TryRead(TestBlocks.Hash(1), changed, block));
                if (format.IsPlain)
                    Assert.Equal(RecordFault.NotFinite, format.Check(TestBlocks.Hash(1), changed.AsSpan(0, BlockRecord.SectorBytes), payload, out _));
            }
        }
    }

    /// <summary>A finite scale may still make an infinite value of a code.</summary>
    [Theory]
    [InlineData(BlockEncoding.Int8)]
    [InlineData(BlockEncoding.Float8E4M3)]
    [InlineData(BlockEncoding.Int4)]
    public void AValueThatIsTooLargeForItsFormatIsAFault(BlockEncoding encoding)
    {
        var layout = new BlockLayout(Layers: 1, KvHeads: 1, HeadDim: 16);
        var format = new BlockRecord(layout, encoding);
        byte[] record = new byte[format.RecordBytes];
        format.Write(TestBlocks.Hash(1), TestBlocks.Attributes(), 1, BlockOf(layout), record);
        Span<byte> payload = record.AsSpan(BlockRecord.SectorBytes, format.Codec.EncodedBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(payload, 0x7F7F);
        Resum(record, payload);
        Assert.Equal(RecordFault.NotFinite, format.TryRead(TestBlocks.Hash(1), record, new byte[layout.BytesPerBlock]));
    }

    /// <summary>In a block that is not full the places of tokens that are not there say nothing.</summary>
    [Theory]
    [InlineData(KvFormat.F32, 16)]
    [InlineData(KvFormat.BF16, 16)]
    [InlineData(KvFormat.F32, 5)]
    [InlineData(KvFormat.BF16, 32)]
    public void OnlyTokensThatAreThereAreLookedAt(KvFormat kv, int blockSize)
    {
        var layout = new BlockLayout(Layers: 2, KvHeads: 2, HeadDim: 8, kv, blockSize);
        const int Tokens = 3;
        for (int head = 0; head < 4; head++)
        {
            for (int token = 0; token < blockSize; token++)
            {
                for (int dimension = 0; dimension < layout.HeadDim; dimension++)
                {
                    int keys = layout.KeyOffset(head / 2, head % 2) + (((dimension * blockSize) + token) * layout.BytesPerElement);
                    int values = layout.ValueOffset(head / 2, head % 2) + (((token * layout.HeadDim) + dimension) * layout.BytesPerElement);
                    foreach (int at in (int[])[keys, values])
                    {
                        byte[] block = new byte[layout.BytesPerBlock];
                        block.AsSpan(at, layout.BytesPerElement).Fill(0xFF);
                        Assert.Equal(token >= Tokens, FiniteCheck.IsFinite(layout, block, Tokens));
                        Assert.False(FiniteCheck.IsFinite(layout, block, blockSize));
                    }
                }
            }
        }
    }

    [Fact]
    public void PaddingAndFormsOfAnEnginesOwnPass()
    {
        var layout = new BlockLayout(Layers: 1, KvHeads: 1, HeadDim: 3, BlockSize: 5);
        byte[] block = new byte[layout.BytesPerBlock];
        block.AsSpan(layout.BytesPerToken * layout.BlockSize).Fill(0xFF);
        Assert.True(layout.BytesPerBlock > layout.BytesPerToken * layout.BlockSize);
        Assert.True(FiniteCheck.IsFinite(layout, block, 5));
        block.AsSpan().Fill(0xFF);
        Assert.True(FiniteCheck.IsFinite(new BlockShape(block.Length, 5, "own"u8), block, 5));
    }

    private static byte[] BlockOf(BlockLayout layout)
    {
        byte[] block = new byte[layout.BytesPerBlock];
        for (int at = 0; at < block.Length; at += layout.BytesPerElement)
            BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(at + layout.BytesPerElement - 2), (ushort)(0x3F00 + (at % 128)));
        return block;
    }

    private static void Resum(byte[] record, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(120), Crc32C.Compute(payload));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(124), Crc32C.Compute(record.AsSpan(0, 124)));
    }
}
