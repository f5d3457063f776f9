using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers;

/// <summary>Marks the whole blocks that a lease has found since they became matchable, once the recipient has noted it. The cache's lock guards the marks.</summary>
internal sealed class ReuseMarks(RadixTree tree, BlockPool pool)
{
    // By slot.
    private bool[] _found = [];

    /// <summary>The blocks of a lease found for the first time, from one entry of its table on, parents first; null for none.</summary>
    public List<ReusedBlock>? Find(BlockLease lease, int firstEntry)
    {
        int blockSize = pool.Shape.BlockSize, wholeBlocks = lease.TokenCount / blockSize;
        if (wholeBlocks <= firstEntry) return null;
        EnsureSlots();
        List<ReusedBlock>? found = null;
        long now = tree.Order.ReadClock();
        int end = lease.SharedBlockCount;
        for (RadixNode node = lease.Node; end > firstEntry; node = node.Parent!)
        {
            ReadOnlySpan<int> slots = node.Run.Slots;
            int start = end - slots.Length;
            for (int entry = Math.Min(end, wholeBlocks) - 1; entry >= Math.Max(start, firstEntry); entry--)
            {
                int slot = slots[entry - start];
                if (_found[slot]) continue;
                _found[slot] = true;
                var attributes = BlockAttributes.Of(blockSize, node.Priority, node.ExpiresAfter(now), node.Root.Tenant);
                (found ??= []).Add(new ReusedBlock(slot, tree.HashOf(slot), attributes));
            }

            end = start;
        }

        found?.Reverse();
        return found;
    }

    /// <summary>The block is to be told of when it is next found.</summary>
    public void Clear(int slot)
    {
        EnsureSlots();
        _found[slot] = false;
    }

    private void EnsureSlots()
    {
        if (_found.Length < pool.SlotCount) Array.Resize(ref _found, pool.SlotCount);
    }
}
