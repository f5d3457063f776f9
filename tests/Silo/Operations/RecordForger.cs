using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KvTiers.Keys;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>What somebody does to records of blocks who can write where they lie; checksums are right each time.</summary>
internal static class RecordForger
{
    /// <summary>Kinds of forgery, and the miss that each is.</summary>
    public static readonly (string Kind, string Miss)[] Kinds =
    [
        ("values", "unauthentic"), ("infinite", "unauthentic"), ("replayed", "other_block"), ("renamed", "unauthentic"), ("swapped", "unauthentic"),
        ("bit", "unauthentic"), ("version", "other_version"), ("key", "other_key"), ("own-key", "other_key"),
    ];

    /// <summary>Changes every record in place, each in one way; they are in no order that means anything.</summary>
    public static void Forge(IReadOnlyList<byte[]> records, string kind)
    {
        byte[][] before = [.. records.Select(record => record.ToArray())];
        for (int i = 0; i < records.Count; i++)
        {
            byte[] record = records[i], other = before[(i + 1) % before.Length];
            Span<byte> header = record.AsSpan(0, BlockRecord.SectorBytes), payload = record.AsSpan(BlockRecord.SectorBytes);
            switch (kind)
            {
                case "values" or "infinite":
                    MemoryMarshal.Cast<byte, float>(payload[..PayloadBytes(record)]).Fill(kind == "values" ? 0.25f * (i + 1) : float.PositiveInfinity);
                    Unseal(record);
                    break;
                case "replayed":
                    other.CopyTo(record, 0);
                    break;
                case "renamed":
                    byte[] name = header.Slice(16, BlockHash.ByteCount).ToArray();
                    other.CopyTo(record, 0);
                    name.CopyTo(record, 16);
                    break;
                case "swapped":
                    other.AsSpan(BlockRecord.SectorBytes).CopyTo(payload);
                    break;
                case "bit":
                    payload[17 * i % PayloadBytes(record)] ^= 1;
                    break;
                case "version":
                    header[4] = 1;
                    break;
                case "key":
                    BinaryPrimitives.WriteUInt32LittleEndian(header[84..], 12345);
                    break;
                case "own-key":
                    new RecordSeal(new RecordProtection(new KeyRing(new RecordKey(new byte[RecordKey.ByteCount])))).Mark(header);
                    break;
                default:
                    throw new ArgumentException(kind);
            }

            Sum(record);
        }
    }

    /// <summary>As one writes who has no key.</summary>
    private static void Unseal(byte[] record)
    {
        record.AsSpan(80, 40).Clear();
        record.AsSpan(128, BlockRecord.SectorBytes - 128).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(120), Crc32C.Compute(record.AsSpan(BlockRecord.SectorBytes, PayloadBytes(record))));
    }

    private static void Sum(byte[] record) => BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(124), Crc32C.Compute(record.AsSpan(0, 124)));

    private static int PayloadBytes(byte[] record) => BinaryPrimitives.ReadInt32LittleEndian(record.AsSpan(12));
}
