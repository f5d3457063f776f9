using System.Buffers.Binary;
using KvTiers.Prefix;
using KvTiers.Serialization;

namespace KvTiers.Tiers.Disk;

/// <remarks>
/// The index file: MessagePack array [format, recordBytes, slotsPerSegment, records], each record an array [slot, hash,
/// tokenCount, priority, tenant, expires in unix milliseconds or nil], the first victim first; then the CRC-32C of all
/// that as a little-endian 32-bit integer.
/// </remarks>
public sealed partial class DiskStore
{
    private const int IndexFormat = 1;

    private string IndexPath => Path.Combine(_options.Folder, "index");

    private void SaveIndex()
    {
        var writer = new MessagePackWriter();
        int[] slots = [.. _index.InOrder()];
        writer.WriteArrayHeader(4);
        writer.Write(IndexFormat);
        writer.Write(RecordBytes);
        writer.Write(_slotsPerSegment);
        writer.WriteArrayHeader(slots.Length);
        Span<byte> hash = stackalloc byte[BlockHash.ByteCount];
        foreach (int slot in slots)
        {
            BlockAttributes attributes = _index.AttributesOf(slot);
            _index.HashOf(slot).CopyTo(hash);
            writer.WriteArrayHeader(6);
            writer.Write(slot);
            writer.Write(hash);
            writer.Write(attributes.TokenCount);
            writer.Write(attributes.Priority);
            writer.Write(attributes.Tenant);
            if (attributes.Expires is { } expires)
            {
                writer.Write(expires.ToUnixTimeMilliseconds());
            }
            else
            {
                writer.WriteNil();
            }
        }

        byte[] file = new byte[writer.Written.Length + sizeof(uint)];
        writer.Written.CopyTo(file);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(writer.Written.Length), Crc32C.Compute(writer.Written));
        File.WriteAllBytes(IndexPath + ".new", file);
        File.Move(IndexPath + ".new", IndexPath, overwrite: true);
    }

    /// <summary>Reads the index of the last clean shutdown, and removes it: after a crash it would be out of date.</summary>
    private bool TryLoadIndex()
    {
        if (!File.Exists(IndexPath))
        {
            return false;
        }

        byte[] file = File.ReadAllBytes(IndexPath);
        File.Delete(IndexPath);
        if (file.Length < sizeof(uint)
            || Crc32C.Compute(file.AsSpan(..^sizeof(uint))) != BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(^sizeof(uint)..)))
        {
            return false;
        }

        try
        {
            List<(int Slot, BlockHash Hash, BlockAttributes Attributes)>? records = ParseIndex(file.AsSpan(..^sizeof(uint)));
            if (records is null)
            {
                return false;
            }

            _index.Adopt(records);
            return true;
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException)
        {
            return false;
        }
    }

    /// <returns>Null when the index speaks of other segments than there are.</returns>
    private List<(int Slot, BlockHash Hash, BlockAttributes Attributes)>? ParseIndex(ReadOnlySpan<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        if (reader.ReadArrayHeader() != 4 || reader.ReadInt32() != IndexFormat
            || reader.ReadInt32() != RecordBytes || reader.ReadInt32() != _slotsPerSegment)
        {
            return null;
        }

        var records = new List<(int Slot, BlockHash Hash, BlockAttributes Attributes)>();
        for (int left = reader.ReadArrayHeader(); left > 0; left--)
        {
            if (reader.ReadArrayHeader() != 6)
            {
                return null;
            }

            int slot = reader.ReadInt32();
            var hash = new BlockHash(reader.ReadBytes());
            var attributes = new BlockAttributes
            {
                TokenCount = reader.ReadInt32(),
                Priority = Math.Clamp(reader.ReadInt32(), 0, BlockAttributes.MaxPriority),
                Tenant = reader.ReadInt32(),
                Expires = reader.TryReadNil() ? null : DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64()),
            };
            if (slot >= 0 && slot < Math.Min(_segments.Count * _slotsPerSegment, _configuredSlots))
            {
                records.Add((slot, hash, attributes));
            }
        }

        return records;
    }
}
