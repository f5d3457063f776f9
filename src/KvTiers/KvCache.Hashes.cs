using KvTiers.Prefix;

namespace KvTiers;

public sealed partial class KvCache
{
    /// <summary>Which whole blocks are hot, as far as no edit has cut them off: for telling others what is found here.</summary>
    /// <remarks>Those near the beginning of a prompt come first, as a run that leads from there is what counts.</remarks>
    /// <param name="most">Hashes to give at most.</param>
    public IReadOnlyList<BlockHash> HotHashes(int most)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(most);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            List<BlockHash> hashes = new(Math.Min(most, Pool.Capacity));
            _tree.CopyHashes(hashes, most);
            return hashes;
        }
    }
}
