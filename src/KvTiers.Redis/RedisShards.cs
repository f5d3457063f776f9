using System.Buffers.Binary;
using KvTiers.Prefix;

namespace KvTiers.Redis;

/// <summary>
/// The parts that a tier's records fall into by their hash. A part's records and everything that is known of them are in one hash slot, so a script that
/// changes a record, its place in the order and its time to live touches one node.
/// </summary>
/// <remarks>
/// Nodes have runs of slots, so the parts' slots are spread evenly over all of them: however many nodes there are, each has about as many parts.
/// How many parts there are is in the keys: processes that disagree on it find nothing of each other.
/// </remarks>
internal sealed class RedisShards
{
    /// <summary>Parts at most.</summary>
    public const int Most = 1024;

    // Of a cluster, unless there is too little room for so many: a part with room for fewer records evicts what the tier as a whole has room for.
    private const int InCluster = 64;
    private const int LeastRecords = 32;

    private const int Slots = 16384;

    private readonly RedisShard[] _shards;

    /// <param name="keyPrefix">Begins every key.</param>
    /// <param name="recordBytes">Records of another length are another room.</param>
    /// <param name="count">Parts, a power of two up to <see cref="Most"/>.</param>
    public RedisShards(string keyPrefix, int recordBytes, int count) =>
        _shards = [.. Enumerable.Range(0, count).Select(number => new RedisShard(number, count, $"{keyPrefix}{{{TagOf(number, count)}}}:", recordBytes))];

    /// <summary>Each of them.</summary>
    public IReadOnlyList<RedisShard> All => _shards;

    /// <summary>The parts that a cluster's tier has when it has room for so many records.</summary>
    public static int CountFor(long records)
    {
        int count = InCluster;
        while (count > 1 && records / count < LeastRecords)
            count /= 2;
        return count;
    }

    /// <summary>The part of a record.</summary>
    public RedisShard Of(BlockHash hash)
    {
        Span<byte> bytes = stackalloc byte[BlockHash.ByteCount];
        hash.CopyTo(bytes);
        return _shards[BinaryPrimitives.ReadUInt16BigEndian(bytes) % _shards.Length];
    }

    /// <summary>The first text of its kind whose slot is in the part's run of slots.</summary>
    private static string TagOf(int shard, int count)
    {
        for (int number = 0; ; number++)
        {
            string tag = $"{count}/{number}";
            if (SlotOf(tag) * count / Slots == shard)
                return tag;
        }
    }

    // CRC-16/XMODEM, as Redis Cluster has it.
    private static int SlotOf(string tag)
    {
        int crc = 0;
        foreach (char c in tag)
        {
            crc ^= c << 8;
            for (int bit = 0; bit < 8; bit++)
                crc = ((crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021 : 0)) & 0xFFFF;
        }

        return crc % Slots;
    }
}
