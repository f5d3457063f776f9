namespace KvTiers.Sessions.Storage;

/// <summary>Keeps tombstones, beside the conversations: what <see cref="WriteAsync"/> has taken survives the process.</summary>
/// <remarks>Every method may throw <see cref="IOException"/> when the store cannot be reached or written. Each may be repeated.</remarks>
public interface ITombstoneStore
{
    /// <summary>Writes a tombstone durably.</summary>
    ValueTask WriteAsync(Tombstone tombstone, CancellationToken cancellationToken = default);

    /// <summary>Removes a tombstone; nothing happens when it is gone.</summary>
    ValueTask RemoveAsync(Tombstone tombstone, CancellationToken cancellationToken = default);

    /// <summary>Every tombstone, in any order. One that cannot be read is left out.</summary>
    IAsyncEnumerable<Tombstone> ReadAllAsync(CancellationToken cancellationToken = default);
}
