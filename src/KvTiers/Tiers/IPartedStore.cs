using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>
/// A store that moves a record's header and its payload from, and to, two places, so that a block stored as it is need not be
/// copied to stand behind its header.
/// </summary>
public interface IPartedStore : IRecordStore
{
    /// <summary>Bytes of which both parts' addresses must be a multiple.</summary>
    int PartAlignment { get; }

    /// <summary>As <see cref="IRecordStore.TryReadAsync"/>, to two places.</summary>
    /// <param name="hash">The block.</param>
    /// <param name="header">Takes <see cref="BlockRecord.SectorBytes"/>.</param>
    /// <param name="payload">Takes the rest.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> header, Memory<byte> payload, CancellationToken cancellationToken);

    /// <summary>As <see cref="IRecordStore.TryWriteAsync"/>, from two places.</summary>
    /// <param name="hash">The block.</param>
    /// <param name="header">Filled by <paramref name="seal"/>.</param>
    /// <param name="payload">The rest.</param>
    /// <param name="seal">Called at most once, before the header leaves; the payload may be on its way by then.</param>
    /// <param name="attributes">What is kept beside the record.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload, Action seal, BlockAttributes attributes, CancellationToken cancellationToken);
}
