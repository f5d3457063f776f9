using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>A store in memory that lends a record where it lies, so that a block is encoded to and decoded from its own place, in one pass with its checksum.</summary>
/// <remarks>Every call completes at once.</remarks>
internal interface IMemoryStore : IRecordStore
{
    /// <summary>Lends a record, until <see cref="Unpin"/>; a use of it.</summary>
    /// <returns>False when it is not held.</returns>
    bool TryPin(BlockHash hash, out int slot, out ReadOnlySpan<byte> record);

    /// <summary>Ends <see cref="TryPin"/>.</summary>
    void Unpin(int slot);

    /// <summary>Takes the place of a record that is not there yet, evicting as needed, until <see cref="Commit"/> or <see cref="Abandon"/>.</summary>
    /// <param name="hash">The block.</param>
    /// <param name="attributes">What is kept beside it.</param>
    /// <param name="slot">The place; −1 when the record is there already, which counts as a use.</param>
    /// <param name="record">The place's bytes, to be written.</param>
    /// <returns>False when there is no room that may be taken.</returns>
    bool TryTake(BlockHash hash, in BlockAttributes attributes, out int slot, out Span<byte> record);

    /// <summary>The record that was written to a place taken can be found from now on.</summary>
    void Commit(int slot);

    /// <summary>Gives up a place taken.</summary>
    void Abandon(int slot);
}
