using System.Buffers;
using KvTiers.Prefix;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Redis;

/// <content>
/// Records over the wire. A record comes and goes in a rented buffer, so that no transfer allocates a value, and no more is asked for at one time than
/// <see cref="RedisStoreOptions.ReadBytesAtOnce"/>.
/// </content>
public sealed partial class RedisStore
{
    private const int VictimsAtOnce = 64;

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
            RedisShard shard = (await ShardsAsync(cancellationToken).ConfigureAwait(false)).Of(hash);
            using Lease<byte>? record = await WithBooksAsync(shard, () => ReadAsync(shard, hash, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (record is null || record.Length == 0)
                return false;

            Copy(record.Span, header.Span, payload.Span);
        }
        catch (BookkeepingException)
        {
            // Under the record's name there is something of another type: as a record it is one of zeros, which is dropped.
            Copy([], header.Span, payload.Span);
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

        byte[] record = ArrayPool<byte>.Shared.Rent(RecordBytes);
        seal();
        header.CopyTo(record);
        payload.CopyTo(record.AsMemory(header.Length));
        // What went next at the last answer makes room for this one, so that a full tier costs no call more.
        string name = hash.ToString();
        RedisKey key = shard.KeyOf(name);
        RedisValue[] named = shard.Next;
        RedisKey[] keys = [.. shard.Index, key, .. shard.KeysOf(named)];
        RedisValue[] arguments = [name, MillisecondsOf(live), attributes.Priority, attributes.Tenant, room, VictimsAtOnce, .. named];
        (bool written, RedisResult kept) = await WithBooksAsync(
            shard,
            () => CallAsync(_nodes.Of(shard.Slot), () => WriteAsync(key, record.AsMemory(0, RecordBytes), live, keys, arguments), cancellationToken),
            cancellationToken).ConfigureAwait(false);

        // Not after a fault: the client may still send it.
        ArrayPool<byte>.Shared.Return(record);
        Interlocked.Add(ref _writtenRecords, written ? 1 : 0);
        ShardAnswer answer = ShardAnswer.Of(kept);
        Note(shard, answer);
        if (answer.Count > room)
            await TrimAsync(shard, room, VictimsAtOnce, answer.Next, cancellationToken).ConfigureAwait(false);

        return true;
    }

    private async Task<(bool Written, RedisResult Kept)> WriteAsync(RedisKey key, ReadOnlyMemory<byte> record, TimeSpan live, RedisKey[] keys, RedisValue[] arguments)
    {
        // One connection to one node keeps the order.
        IDatabase database = NextConnection();
        Task<bool> set = database.StringSetAsync(key, record, live, When.NotExists);
        Task<RedisResult> keep = database.ScriptEvaluateAsync(RedisScripts.Keep, keys, arguments);
        await Task.WhenAll(set, keep).ConfigureAwait(false);
        return (await set.ConfigureAwait(false), await keep.ConfigureAwait(false));
    }

    private Task<Lease<byte>?> ReadAsync(RedisShard shard, BlockHash hash, CancellationToken cancellationToken)
    {
        string name = hash.ToString();
        RedisKey key = shard.KeyOf(name);
        return CallAsync(
            _nodes.Of(shard.Slot),
            async () =>
            {
                // Beside the reading, and waited for, so that what comes after it finds the record used.
                Task<RedisResult> touch = _control.GetDatabase().ScriptEvaluateAsync(
                    RedisScripts.Touch, [.. shard.Index, key], [name, MillisecondsOf(_options.TimeToLive)]);
                Task<Lease<byte>?> read = NextConnection().StringGetLeaseAsync(key);
                await Task.WhenAll(touch, read).ConfigureAwait(false);
                return await read.ConfigureAwait(false);
            },
            cancellationToken);
    }

    // What a record that is too short lacks is zeros, which no checksum agrees with.
    private static void Copy(ReadOnlySpan<byte> record, Span<byte> header, Span<byte> payload)
    {
        int inHeader = Math.Min(record.Length, header.Length), inPayload = Math.Min(record.Length - inHeader, payload.Length);
        record[..inHeader].CopyTo(header);
        header[inHeader..].Clear();
        record.Slice(inHeader, inPayload).CopyTo(payload);
        payload[inPayload..].Clear();
    }

    private IDatabase NextConnection() =>
        _data[(int)((uint)Interlocked.Increment(ref _nextConnection) % (uint)_data.Length)].GetDatabase();
}
