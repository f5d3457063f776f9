namespace KvTiers.Prefix;

internal sealed partial class RadixTree
{
    /// <summary>Takes the block that the eviction order has first out of the tree. O(1) in the number of blocks.</summary>
    /// <returns>False when every block is held.</returns>
    public bool TryEvict(out EvictedBlock block)
    {
        if (Order.First(out EvictionCause cause) is not { } node)
        {
            block = default;
            return false;
        }

        int slot = node.Run.LastSlot;
        int tokenCount = Math.Min(node.Run.TokenCount, _blockSize);
        block = new EvictedBlock(HashOf(slot), tokenCount, node.Priority, node.ExpiresAfter(node.LastUsed), slot, cause);
        if (node.Run.BlockCount == 1)
        {
            Detach(node);
            return true;
        }

        node.Run.RemoveLast();
        node.Run.TrimExcess();
        BlockCount--;
        EvictableBlockCount--;
        if (node.Superseded) SupersededBlockCount--;
        return true;
    }
}
