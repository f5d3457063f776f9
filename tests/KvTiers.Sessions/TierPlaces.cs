using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Redis;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;
using StackExchange.Redis;

namespace KvTiers.Sessions.Tests;

/// <summary>RAM, a folder and, where there is a server, Redis, as the server stacks them; each can be searched by itself.</summary>
internal sealed class TierPlaces(int ramBlocks, RedisServer? redis = null) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private BlockRecord? _format;
    private RamStore? _ram;

    /// <summary>The disk tier's store, as the cache sees it.</summary>
    public WatchedStore Disk { get; private set; } = null!;

    public IReadOnlyList<TierOptions> Open(BlockLayout layout)
    {
        _format = new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot));
        _ram = new RamStore(_format.RecordBytes, (long)ramBlocks * _format.RecordBytes);
        var options = new DiskStoreOptions { Folder = _folder.Path, CapacityBytes = 4000L * _format.RecordBytes, SegmentBytes = 16 << 20 };
        Disk = new WatchedStore(DiskStore.Open(_format, options));
        List<TierOptions> tiers =
        [
            TierOptions.Over("ram", _ram),
            TierOptions.Over("disk", Disk) with { Exclusive = false, Deadline = TimeSpan.FromMinutes(1) },
        ];
        if (redis is not null && RedisServer.IsAvailable)
        {
            RedisStore store = RedisStore.ConnectAsync(
                _format.RecordBytes, new RedisStoreOptions { Configuration = redis.Configuration, CapacityBytes = 1 << 30, Deadline = TimeSpan.FromSeconds(30) }).GetAwaiter().GetResult();
            tiers.Add(TierOptions.Over("redis", store) with
            {
                WritePolicy = WritePolicy.OnSeal,
                Exclusive = false,
                Shared = true,
                WriteQueueBlocks = 4096,
                Deadline = TimeSpan.FromMinutes(1),
            });
        }

        return tiers;
    }

    public HashSet<BlockHash> InRam() => [.. _ram!.InEvictionOrder().Select(block => block.Hash)];

    /// <summary>Every sound record in the segment files, whatever the index says.</summary>
    public HashSet<BlockHash> OnDisk()
    {
        var found = new HashSet<BlockHash>();
        byte[] sector = new byte[BlockRecord.SectorBytes];
        foreach (string path in Directory.EnumerateFiles(_folder.Path, "segment-*.kvb"))
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            for (long at = 0; at + sector.Length <= file.Length; at += _format!.RecordBytes)
            {
                file.Position = at;
                file.ReadExactly(sector);
                if (_format!.TryReadHeader(sector, out RecordHeader header) == RecordFault.None)
                    found.Add(header.Hash);
            }
        }

        return found;
    }

    /// <summary>Every key, with the time that it has still to live.</summary>
    public async Task<Dictionary<string, TimeSpan>> InRedisAsync()
    {
        var found = new Dictionary<string, TimeSpan>();
        if (redis is null || !RedisServer.IsAvailable)
            return found;
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(redis.Configuration);
        foreach (RedisKey key in connection.GetServer(connection.GetEndPoints().Single()).Keys(pattern: "kvt:3:{*}:????????????????????????????????????????????????????????????????", pageSize: 1000))
            found[key.ToString()[^64..]] = await connection.GetDatabase().KeyTimeToLiveAsync(key) ?? TimeSpan.MaxValue;
        return found;
    }

    /// <summary>The blocks of a path, and every length at which its blocks may have been published.</summary>
    public static HashSet<BlockHash> Path(BlockHash root, ReadOnlySpan<int> tokens, int blockSize) => Path(root, tokens, blockSize, static _ => true);

    /// <summary>The blocks that a conversation comes back to: the whole ones, and the last, partial one at every length.</summary>
    public static HashSet<BlockHash> NeededPath(BlockHash root, ReadOnlySpan<int> tokens, int blockSize) =>
        Path(root, tokens, blockSize, rest => rest < blockSize);

    private static HashSet<BlockHash> Path(BlockHash root, ReadOnlySpan<int> tokens, int blockSize, Func<int, bool> isPartial)
    {
        var hashes = new HashSet<BlockHash>();
        BlockHash parent = root;
        for (int at = 0; at < tokens.Length; at += blockSize)
        {
            ReadOnlySpan<int> rest = tokens[at..];
            int whole = Math.Min(rest.Length, blockSize);
            for (int length = isPartial(rest.Length) ? 1 : whole; length <= whole; length++)
                hashes.Add(parent.Next(rest[..length]));
            parent = parent.Next(rest[..whole]);
        }

        return hashes;
    }

    public void Dispose() => _folder.Dispose();
}
