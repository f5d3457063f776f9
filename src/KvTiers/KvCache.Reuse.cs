using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers;

/// <content>Tells the observer of whole blocks that a lease finds for the first time since they became matchable.</content>
public sealed partial class KvCache
{
    // By slot: found since it was sealed, and noted by the observer.
    private bool[] _reused = [];

    // Under the lock. The blocks found for the first time behind the lease's first ones, parents first; null for none.
    private List<ReusedBlock>? FindReused(BlockLease lease, int firstEntry)
    {
        int wholeBlocks = lease.TokenCount / Layout.BlockSize;
        if (_observer is not { SeesReuse: true } || wholeBlocks <= firstEntry) return null;
        EnsureReuseMarks();
        List<ReusedBlock>? found = null;
        long now = _tree.Order.ReadClock();
        int end = lease.SharedBlockCount;
        for (RadixNode node = lease.Node; end > firstEntry; node = node.Parent!)
        {
            ReadOnlySpan<int> slots = node.Run.Slots;
            int start = end - slots.Length;
            for (int entry = Math.Min(end, wholeBlocks) - 1; entry >= Math.Max(start, firstEntry); entry--)
            {
                int slot = slots[entry - start];
                if (_reused[slot]) continue;
                _reused[slot] = true;
                (found ??= []).Add(new ReusedBlock(slot, _tree.HashOf(slot), Attributes(Layout.BlockSize, node.Priority, node.ExpiresAfter(now), node.Root.Tenant)));
            }

            end = start;
        }

        found?.Reverse();
        return found;
    }

    // Without the lock; the lease that found the blocks holds them. What is not noted now is told again when it is next found.
    private void NotifyReused(List<ReusedBlock>? blocks)
    {
        if (blocks is null) return;
        int noted = 0;
        while (noted < blocks.Count && _observer!.OnReused(blocks[noted].Hash, blocks[noted].Attributes, Pool.Bytes(blocks[noted].Slot))) noted++;
        if (noted == blocks.Count) return;
        lock (_lock)
        {
            foreach (ReusedBlock block in blocks.Skip(noted)) _reused[block.Slot] = false;
        }
    }

    private void MarkNotReused(int slot)
    {
        if (_observer is not { SeesReuse: true }) return;
        EnsureReuseMarks();
        _reused[slot] = false;
    }

    private void EnsureReuseMarks()
    {
        if (_reused.Length < Pool.SlotCount) Array.Resize(ref _reused, Pool.SlotCount);
    }

    private readonly record struct ReusedBlock(int Slot, BlockHash Hash, BlockAttributes Attributes);
}
