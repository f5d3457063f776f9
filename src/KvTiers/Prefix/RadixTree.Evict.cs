namespace KvTiers.Prefix;

internal sealed partial class RadixTree
{
    /// <summary>Takes the block that the eviction order has first out of the tree. O(1) in the number of blocks.</summary>
    /// <returns>False when every block is held.</returns>
    public bool TryEvict(out EvictedBlock block)
    {
        if (Order.First(out EvictionCause cause) is { } node)
        {
            block = Take(node, cause);
            return true;
        }

        block = default;
        return false;
    }

    /// <summary>Takes the block that the eviction order has first of one namespace out of the tree. Passes over the nodes of others before it.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="deadOnly">Whether only a superseded or expired block is taken.</param>
    /// <param name="block">The block.</param>
    /// <returns>False when there is none that nobody holds.</returns>
    public bool TryEvict(RadixRoot root, bool deadOnly, out EvictedBlock block)
    {
        if (Order.First(out EvictionCause cause, root) is { } node && !(deadOnly && cause == EvictionCause.LeastRecentlyUsed))
        {
            block = Take(node, cause);
            return true;
        }

        block = default;
        return false;
    }

    private EvictedBlock Take(RadixNode node, EvictionCause cause)
    {
        int slot = node.Run.LastSlot;
        int tokenCount = Math.Min(node.Run.TokenCount, _blockSize);
        var block = new EvictedBlock(HashOf(slot), tokenCount, node.Priority, node.ExpiresAfter(node.LastUsed), node.Root.Tenant, slot, cause);
        if (node.Run.BlockCount == 1)
        {
            Detach(node);
            return block;
        }

        node.Run.RemoveLast();
        node.Run.TrimExcess();
        BlockCount--;
        node.Root.BlockCount--;
        EvictableBlockCount--;
        if (node.Superseded) SupersededBlockCount--;
        return block;
    }
}
