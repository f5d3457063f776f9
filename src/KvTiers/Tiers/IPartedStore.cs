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
    ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload, BlockAttributes attributes, CancellationToken cancellationToken);
}
