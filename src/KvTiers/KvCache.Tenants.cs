using KvTiers.Prefix;

namespace KvTiers;

/// <content>What one tenant holds of the hot tier, and evicting of that alone.</content>
public sealed partial class KvCache
{
    /// <summary>Matchable blocks of a tenant.</summary>
    internal int BlocksOf(int tenant)
    {
        lock (_lock) return _tree.Roots.Where(root => root.Tenant == tenant).Sum(root => root.BlockCount);
    }

    /// <summary>Frees blocks of a tenant that nobody holds, in the usual order among themselves. The observer is not shown them.</summary>
    /// <param name="tenant">The tenant's number.</param>
    /// <param name="atMost">Blocks freed at most.</param>
    /// <param name="deadOnly">Whether only superseded and expired blocks go.</param>
    /// <returns>Blocks freed.</returns>
    internal int EvictTenant(int tenant, int atMost, bool deadOnly)
    {
        lock (_lock)
        {
            if (_disposed) return 0;
            LapsePins();
            int freed = 0;
            foreach (RadixRoot root in _tree.Roots.Where(root => root.Tenant == tenant).ToArray())
            {
                while (freed < atMost && _tree.TryEvict(root, deadOnly, out EvictedBlock block))
                {
                    CountEvicted(block);
                    Pool.Free(block.Slot);
                    freed++;
                }
            }

            return freed;
        }
    }
}
