using System.Collections.Concurrent;
using KvTiers.Prefix;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Redis;

/// <content>
/// Records over the wire. The client allocates every value it receives, and receives as fast as it can. So a record comes in pieces small enough not to be
/// large objects, spread over the data connections, and no more is asked for at one time than soon becomes garbage.
/// </content>
public sealed partial class RedisStore
{
    private const int VictimsAtOnce = 64;

    // The client wants an array of a record's very length. One is used again when the server has answered for it.
    private readonly ConcurrentBag<byte[]> _records = [];
    private int _nextConnection;

    /// <inheritdoc/>
    public int PartAlignment => 1;

    /// <inheritdoc/>
    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken) =>
        TryReadAsync(hash, record[..BlockRecord.SectorBytes], record[BlockRecord.SectorBytes..], cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> header, Memory<byte> payload, CancellationToken cancellationToken)
    {
        // Waiting for others' reads is no fault of the server's.
        if (!await _reads.WaitAsync(_options.Deadline, cancellationToken).ConfigureAwait(false))
            throw new TimeoutException("Other reads from Redis took longer than a call may.");

        try
        {
            if (!CopyPieces(await ReadPiecesAsync(hash, cancellationToken).ConfigureAwait(false), header.Span, payload.Span))
                return false;
        }
        finally
        {
            _reads.Release();
        }

        Interlocked.Increment(ref _readRecords);
        return true;
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken) =>
        TryWriteAsync(hash, record[..BlockRecord.SectorBytes], record[BlockRecord.SectorBytes..], static () => { }, attributes, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload, Action seal, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        TimeSpan live = attributes.Expires is { } expires ? expires - _time.GetUtcNow() : _options.TimeToLive;
        RedisShard shard = (await ShardsAsync(cancellationToken).ConfigureAwait(false)).Of(hash);
        long room = shard.ShareOf(RecordsAllowed);
        if (live <= TimeSpan.Zero || room == 0)
            return false;

        byte[] record = _records.TryTake(out byte[]? used) ? used : GC.AllocateUninitializedArray<byte>(RecordBytes);
        seal();
        header.CopyTo(record);
        payload.CopyTo(record.AsMemory(header.Length));
        // What went next at the last answer makes room for this one, so that a full tier costs no call more.
        string name = hash.ToString();
        RedisKey key = shard.KeyOf(name);
        RedisValue[] named = shard.Next;
        RedisKey[] keys = [.. shard.Index, key, .. shard.KeysOf(named)];
        RedisValue[] arguments = [name, MillisecondsOf(live), attributes.Priority, attributes.Tenant, room, VictimsAtOnce, .. named];
        (bool written, RedisResult kept) = await CallAsync(
            _nodes.Of(shard.Slot), () => WriteAsync(key, record, live, keys, arguments), cancellationToken).ConfigureAwait(false);
        _records.Add(record);
        Interlocked.Add(ref _writtenRecords, written ? 1 : 0);
        ShardAnswer answer = ShardAnswer.Of(kept);
        Note(shard, answer);
        if (answer.Count > room)
            await TrimAsync(shard, room, VictimsAtOnce, answer.Next, cancellationToken).ConfigureAwait(false);

        return true;
    }

    private async Task<(bool Written, RedisResult Kept)> WriteAsync(RedisKey key, byte[] record, TimeSpan live, RedisKey[] keys, RedisValue[] arguments)
    {
        // One connection to one node keeps the order.
        IDatabase database = NextConnection();
        Task<bool> set = database.StringSetAsync(key, record, live, When.NotExists);
        Task<RedisResult> keep = database.ScriptEvaluateAsync(RedisScripts.Keep, keys, arguments);
        await Task.WhenAll(set, keep).ConfigureAwait(false);
        return (await set.ConfigureAwait(false), await keep.ConfigureAwait(false));
    }

    private async Task<RedisValue[]> ReadPiecesAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        RedisShard shard = (await ShardsAsync(cancellationToken).ConfigureAwait(false)).Of(hash);
        string name = hash.ToString();
        RedisKey key = shard.KeyOf(name);
        return await CallAsync(
            _nodes.Of(shard.Slot),
            async () =>
            {
                // Beside the reading, and waited for, so that what comes after it finds the record used.
                Task<RedisResult> touch = _control.GetDatabase().ScriptEvaluateAsync(
                    RedisScripts.Touch, [.. shard.Index, key], [name, MillisecondsOf(_options.TimeToLive)]);
                Task<RedisValue[]> read = ReadPiecesAsync(key);
                await Task.WhenAll(touch, read).ConfigureAwait(false);
                return await read.ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<RedisValue[]> ReadPiecesAsync(RedisKey key)
    {
        int pieceBytes = _options.ReadPieceBytes;
        if (RecordBytes <= pieceBytes)
            return [await NextConnection().StringGetAsync(key).ConfigureAwait(false)];

        var pieces = new Task<RedisValue>[(RecordBytes + pieceBytes - 1) / pieceBytes];
        for (int i = 0; i < pieces.Length; i++)
            pieces[i] = NextConnection().StringGetRangeAsync(key, (long)i * pieceBytes, Math.Min((long)(i + 1) * pieceBytes, RecordBytes) - 1);

        return await Task.WhenAll(pieces).ConfigureAwait(false);
    }

    /// <summary>Fills header and payload; what the pieces lack is zeros.</summary>
    /// <returns>False when a piece is empty: there is no such record, or no longer.</returns>
    private static bool CopyPieces(RedisValue[] pieces, Span<byte> header, Span<byte> payload)
    {
        Span<byte> target = header;
        bool inHeader = true;
        foreach (RedisValue piece in pieces)
        {
            if (piece.IsNullOrEmpty)
                return false;

            ReadOnlySpan<byte> bytes = (byte[])piece!;
            while (!bytes.IsEmpty && (inHeader || !target.IsEmpty))
            {
                int count = Math.Min(bytes.Length, target.Length);
                bytes[..count].CopyTo(target);
                bytes = bytes[count..];
                target = target[count..];
                if (inHeader && target.IsEmpty)
                {
                    target = payload;
                    inHeader = false;
                }
            }
        }

        target.Clear();
        if (inHeader)
            payload.Clear();

        return true;
    }

    private IDatabase NextConnection() =>
        _data[(int)((uint)Interlocked.Increment(ref _nextConnection) % (uint)_data.Length)].GetDatabase();
}
