using System.Buffers;
using System.Buffers.Binary;
using KvTiers.Prefix;
using KvTiers.Serialization;
using MessagePack;

namespace KvTiers.Tiers.Disk;

/// <remarks>
/// The index file: MessagePack array [format, recordBytes, slotsPerSegment, records], each record an array [slot, hash,
/// tokenCount, priority, tenant, expires in unix milliseconds or nil], the first victim first; then the CRC-32C of all
/// that as a little-endian 32-bit integer.
/// </remarks>
internal sealed partial class DiskStore
{
    private const int IndexFormat = 1;

    private string IndexPath => Path.Combine(_options.Folder, "index");

    private void SaveIndex()
    {
        int[] slots = [.. _index.InOrder()];
        var file = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(file);
        writer.WriteArrayHeader(4);
        writer.Write(IndexFormat);
        writer.Write(RecordBytes);
        writer.Write(_slotsPerSegment);
        writer.WriteArrayHeader(slots.Length);
        foreach (int slot in slots)
        {
            BlockAttributes attributes = _index.AttributesOf(slot);
            writer.WriteArrayHeader(6);
            writer.Write(slot);
            writer.WriteBinHeader(BlockHash.ByteCount);
            _index.HashOf(slot).CopyTo(writer.GetSpan(BlockHash.ByteCount));
            writer.Advance(BlockHash.ByteCount);
            writer.Write(attributes.TokenCount);
            writer.Write(attributes.Priority);
            writer.Write(attributes.Tenant);
            if (attributes.Expires is { } expires)
                writer.Write(expires.ToUnixTimeMilliseconds());
            else
                writer.WriteNil();
        }

        writer.Flush();
        BinaryPrimitives.WriteUInt32LittleEndian(file.GetSpan(sizeof(uint)), Crc32C.Compute(file.WrittenSpan));
        file.Advance(sizeof(uint));
        File.WriteAllBytes(IndexPath + ".new", file.WrittenSpan);
        File.Move(IndexPath + ".new", IndexPath, overwrite: true);
    }

    /// <summary>Reads the index of the last clean shutdown, and removes it: after a crash it would be out of date.</summary>
    private bool TryLoadIndex()
    {
        if (!File.Exists(IndexPath))
            return false;

        byte[] file = File.ReadAllBytes(IndexPath);
        File.Delete(IndexPath);
        if (file.Length < sizeof(uint)
            || Crc32C.Compute(file.AsSpan(..^sizeof(uint))) != BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(^sizeof(uint)..)))
            return false;

        try
        {
            _index.Adopt(StrictMessagePack.Decode(file.AsMemory(..^sizeof(uint)), ParseIndex));
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    // By hand: it is read at every start, and a slot or a block that stands twice must not reach the index.
    private List<(int Slot, BlockHash Hash, BlockAttributes Attributes)> ParseIndex(ref MessagePackReader reader)
    {
        if (reader.ReadArrayHeader() != 4 || reader.ReadInt32() != IndexFormat
            || reader.ReadInt32() != RecordBytes || reader.ReadInt32() != _slotsPerSegment)
            throw new FormatException("The index speaks of other segments than there are.");

        var slots = new HashSet<int>();
        var hashes = new HashSet<BlockHash>();
        var records = new List<(int Slot, BlockHash Hash, BlockAttributes Attributes)>();
        for (int left = reader.ReadArrayHeader(); left > 0; left--)
        {
            if (reader.ReadArrayHeader() != 6)
                throw new FormatException("An entry of the index does not have six parts.");

            int slot = reader.ReadInt32();
            var hash = new BlockHash(reader.ReadBinary());
            if (!slots.Add(slot) || !hashes.Add(hash))
                throw new FormatException($"The slot {slot} or its block stands twice in the index.");

            var attributes = new BlockAttributes
            {
                TokenCount = reader.ReadInt32(),
                Priority = Math.Clamp(reader.ReadInt32(), 0, BlockAttributes.MaxPriority),
                Tenant = reader.ReadInt32(),
                Expires = reader.TryReadNil() ? null : DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64()),
            };
            if (slot >= 0 && slot < Math.Min(_segments.Count * _slotsPerSegment, _configuredSlots))
                records.Add((slot, hash, attributes));
        }

        return records;
    }
}
