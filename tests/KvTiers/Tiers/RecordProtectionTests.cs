using System.Buffers.Binary;
using KvTiers.Blocks;
using KvTiers.Keys;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>Records under a key: what anybody else wrote, moved or cut is no block, however right its checksums are.</summary>
public sealed class RecordProtectionTests
{
    private static readonly BlockLayout Layout = new(Layers: 2, KvHeads: 1, HeadDim: 16);
    private static readonly KeyRing Ring = new(Key(1));
    private static readonly byte[] Block = BlockOf(1);

    public static TheoryData<BlockEncoding, bool> Kinds
    {
        get
        {
            var kinds = new TheoryData<BlockEncoding, bool>();
            foreach (BlockEncoding encoding in Enum.GetValues<BlockEncoding>())
            {
                kinds.Add(encoding, false);
                kinds.Add(encoding, true);
            }

            return kinds;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void WhatWasSealedIsReadWhetherEncryptionIsOnByNowOrNot(BlockEncoding encoding, bool encrypts)
    {
        BlockRecord writer = Format(Ring, encrypts, encoding), reader = Format(Ring, !encrypts, encoding), plain = Format(null, false, encoding);
        byte[] record = Written(writer, 1, Block), expected = new byte[Layout.BytesPerBlock], read = new byte[Layout.BytesPerBlock];
        Assert.Equal(RecordFault.None, plain.TryRead(TestBlocks.Hash(1), Written(plain, 1, Block), expected));
        Assert.Equal(RecordFault.None, writer.TryRead(TestBlocks.Hash(1), record, read));
        Assert.Equal(expected, read);
        Assert.Equal(RecordFault.None, reader.TryRead(TestBlocks.Hash(1), record, read));
        Assert.Equal(expected, read);
    }

    /// <summary>As a store brings a record in parts: the payload lies where the block is to be.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ASealedPayloadIsOpenedWhereItLies(bool encrypts)
    {
        byte[] record = Written(Format(Ring, encrypts), 1, Block), block = record[BlockRecord.SectorBytes..];
        Assert.Equal(encrypts, !block.AsSpan().SequenceEqual(Block));
        Assert.Equal(RecordFault.None, Format(Ring).Check(TestBlocks.Hash(1), record.AsSpan(0, BlockRecord.SectorBytes), block, out BlockAttributes attributes));
        Assert.Equal(Block, block);
        Assert.Equal(16, attributes.TokenCount);
    }

    [Fact]
    public void ARecordWithoutACodeIsNoBlockHoweverRightItsChecksumsAre() =>
        Assert.Equal(RecordFault.Unauthentic, Read(Format(Ring), Written(Format(null), 1, BlockOf(2))));

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(255)]
    public void ARecordThatSaysSomethingElseOfItsProtectionIsNoBlock(byte protection)
    {
        byte[] record = Written(Format(Ring), 1, Block);
        record[80] = protection;
        Resum(record);
        Assert.Equal(RecordFault.Unauthentic, Read(Format(Ring), record));
        Assert.Equal(protection == 0 ? RecordFault.Corrupt : RecordFault.OtherKey, Read(Format(null), record));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void TwoRecordsWhosePartsAreExchangedAreNoBlocks(BlockEncoding encoding, bool encrypts)
    {
        BlockRecord format = Format(Ring, encrypts, encoding);
        byte[] one = Written(format, 1, Block), two = Written(format, 2, BlockOf(2));
        byte[] mixed = [.. one.AsSpan(0, BlockRecord.SectorBytes), .. two.AsSpan(BlockRecord.SectorBytes)];
        Assert.Equal(RecordFault.Unauthentic, Read(format, mixed));
        Assert.Equal(RecordFault.OtherBlock, Read(format, two));

        // Renamed, with its checksum made right.
        TestBlocks.Hash(1).CopyTo(two.AsSpan(16));
        Resum(two);
        Assert.Equal(RecordFault.Unauthentic, Read(format, two));
    }

    /// <summary>Every field that says how a record is kept is covered: its tenant, its priority, its order and its time to live too.</summary>
    [Theory]
    [InlineData(8, 24)]
    [InlineData(56, 1)]
    [InlineData(64, 1)]
    [InlineData(72, 1)]
    [InlineData(76, 1)]
    public void AFieldOfTheHeaderThatWasChangedIsFoundThoughItsChecksumIsRight(int at, byte bits)
    {
        byte[] record = Written(Format(Ring), 1, Block);
        record[at] ^= bits;
        Resum(record);
        Assert.Equal(RecordFault.Unauthentic, Format(Ring).TryReadHeader(record, out _));
    }

    [Fact]
    public void KeysAreChangedWithoutALoss()
    {
        RecordKey old = Key(2), next = Key(3);
        byte[] before = Written(Format(new KeyRing(old)), 1, Block), after = Written(Format(new KeyRing(next, old)), 1, Block);
        Assert.Equal(RecordFault.None, Read(Format(new KeyRing(next, old)), before));
        Assert.Equal(RecordFault.None, Read(Format(new KeyRing(old, next)), after));
        Assert.Equal(RecordFault.None, Read(Format(new KeyRing(next)), after));
        Assert.Equal(RecordFault.OtherKey, Read(Format(new KeyRing(next)), before));
        Assert.Equal(RecordFault.OtherKey, Read(Format(null), after));

        // Whoever knows a key's id does not have the key.
        BinaryPrimitives.WriteUInt32LittleEndian(before.AsSpan(84), next.Id);
        Resum(before);
        Assert.Equal(RecordFault.Unauthentic, Read(Format(new KeyRing(next)), before));
    }

    [Fact]
    public void NoTwoRecordsHaveKeyAndNonceInCommon()
    {
        var seen = new HashSet<string>();
        BlockRecord[] writers = [.. Enumerable.Range(0, 4).Select(_ => Format(Ring))];
        Parallel.For(0, 4000, number =>
        {
            byte[] header = new byte[BlockRecord.SectorBytes];
            writers[number % writers.Length].WriteHeader(TestBlocks.Hash(1), TestBlocks.Attributes(), 5, Block, header);
            lock (seen)
                seen.Add(Convert.ToHexString(header.AsSpan(88, 24)));
        });
        Assert.Equal(4000, seen.Count);
    }

    private static RecordKey Key(int seed) => new([.. Enumerable.Range(0, RecordKey.ByteCount).Select(i => (byte)(i + (seed * 50)))]);

    private static byte[] BlockOf(int seed)
    {
        byte[] block = new byte[Layout.BytesPerBlock];
        TestBlocks.Fill(block, seed);
        return block;
    }

    private static BlockRecord Format(KeyRing? ring, bool encrypts = false, BlockEncoding encoding = BlockEncoding.Hot) =>
        new(Layout, encoding, ring is null ? null : new RecordProtection(ring) { Encrypts = encrypts });

    private static byte[] Written(BlockRecord format, int number, byte[] block)
    {
        byte[] record = new byte[format.RecordBytes];
        format.Write(TestBlocks.Hash(number), TestBlocks.Attributes(), sequence: 1, block, record);
        return record;
    }

    private static RecordFault Read(BlockRecord format, byte[] record) => format.TryRead(TestBlocks.Hash(1), record, new byte[Layout.BytesPerBlock]);

    private static void Resum(byte[] record) => BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(124), Crc32C.Compute(record.AsSpan(0, 124)));
}
