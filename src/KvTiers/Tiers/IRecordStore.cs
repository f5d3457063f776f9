using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>
/// Keeps a tier's records: bytes of one length, by block hash, in a bounded room. It need not be trusted: every record
/// is checked by its reader.
/// </summary>
/// <remarks>
/// Thread-safe. A store may lose, refuse or garble any record at any time, hang, or throw whatever it likes; its caller turns
/// all of that into counted misses. A <see cref="TimeoutException"/> and a <see cref="TierUnavailableException"/> are counted as what they are.
/// </remarks>
public interface IRecordStore : IAsyncDisposable
{
    /// <summary>Bytes of every record.</summary>
    int RecordBytes { get; }

    /// <summary>Room for records, as bytes.</summary>
    long CapacityBytes { get; }

    /// <summary>What the records held take up.</summary>
    long UsedBytes { get; }

    /// <summary>Records held.</summary>
    long Count { get; }

    /// <summary>What it has done since it was opened.</summary>
    StoreTotals Totals { get; }

    /// <summary>Whether the store is left alone for now, because it failed too often.</summary>
    bool IsDegraded => false;

    /// <summary>What an operator should know of it though it works, in a sentence without its first capital; null = nothing.</summary>
    string? Trouble => null;

    /// <summary>
    /// Whether every call completes at once, from memory. Blocks are then handed over on the thread of whoever needs their room, which waits for it. Constant.
    /// </summary>
    bool IsInPlace => false;

    /// <summary>
    /// Called with each record that is evicted to make room, before its place is taken, by the thread that makes the room; the bytes are valid during the
    /// call. A store that has its records not at hand, or not for itself, never calls it.
    /// </summary>
    Action<BlockHash, BlockAttributes, ReadOnlyMemory<byte>>? Evicting
    {
        get => null;
        set { }
    }

    /// <summary>How many of the leading hashes are held.</summary>
    ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken);

    /// <summary>Copies a record; a use of it. May hold up the calling thread, as writing may.</summary>
    /// <param name="hash">The block.</param>
    /// <param name="record">Takes <see cref="RecordBytes"/>; sector-aligned for a store on disk.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when it is not held.</returns>
    ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken);

    /// <summary>Stores a record, evicting others for it in eviction order. One that is there already counts as used.</summary>
    /// <returns>False when there is no room that may be taken.</returns>
    ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken);

    /// <summary>Forgets records for good: they are not found again, not even after a restart.</summary>
    /// <returns>How many were held.</returns>
    ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken);

    /// <summary>Forgets records to make room. Cheaper than <see cref="RemoveAsync"/>: after a crash one may be found again.</summary>
    /// <returns>How many were held.</returns>
    ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken);

    /// <summary>Lets records expire at a time, unless a write of the same block renews them.</summary>
    /// <returns>How many were held.</returns>
    ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>How many records a tenant has here (<see cref="BlockAttributes.Tenant"/>).</summary>
    ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken);

    /// <summary>Forgets records of one tenant, as <see cref="ForgetAsync"/> does, in eviction order among themselves.</summary>
    /// <param name="tenant">The tenant's number.</param>
    /// <param name="atMost">Records forgotten at most.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>How many; fewer than asked for when the others are being read.</returns>
    ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken);

    /// <summary>Changes the room; shrinking evicts.</summary>
    /// <returns>The capacity reached, in bytes: more than asked for while records are being read.</returns>
    ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken);

    /// <summary>Forgets every record.</summary>
    ValueTask ClearAsync(CancellationToken cancellationToken);

    /// <summary>Evicts every record that nobody is reading and that would be lost at the end of the process, each handed to <see cref="Evicting"/>.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
