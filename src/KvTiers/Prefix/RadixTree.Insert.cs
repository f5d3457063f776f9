namespace KvTiers.Prefix;

/// <content>Blocks come into the tree, and are evicted from it.</content>
internal sealed partial class RadixTree
{
    /// <summary>Adds a full block below a held node and moves that hold down to it, or to the identical block that stands there already.</summary>
    /// <param name="at">The held node.</param>
    /// <param name="path">The path that the block is of.</param>
    /// <param name="block">The block's number in it.</param>
    /// <param name="slot">The slot that holds their K and V. Stays the caller's when <paramref name="duplicate"/> is true.</param>
    /// <param name="duplicate">Whether the block stood there; the result's last slot is to be used instead.</param>
    /// <returns>The node that is held now; the block is its last.</returns>
    public RadixNode Seal(RadixNode at, BlockPath path, int block, int slot, out bool duplicate)
    {
        ReadOnlySpan<int> tokens = path.Tokens.Slice(block * _blockSize, _blockSize);
        RadixNode? standing = HoldStanding(at, tokens);
        duplicate = standing is not null;
        if (standing is not null)
        {
            JoinUpper(standing);
            return standing;
        }

        BlockHash hash = path.HashAfter(block + 1);
        if (!CanGrow(at)) return AddChild(at, tokens, hash, slot);
        AppendBlock(at, tokens, hash, slot);
        return at;
    }

    /// <summary>Makes a partial last block matchable, or finds a block that begins with the same tokens; moves the hold down to it.</summary>
    /// <inheritdoc cref="Seal"/>
    public RadixNode Publish(RadixNode at, BlockPath path, int block, int slot, out bool duplicate)
    {
        ReadOnlySpan<int> tokens = path.Tokens[(block * _blockSize)..];
        RadixNode? standing = HoldStanding(at, tokens);
        duplicate = standing is not null;
        return standing ?? AddChild(at, tokens, path.HashOfPart(block, tokens.Length), slot);
    }

    // Below the node, the one of just the block that begins with all of these tokens, held; null when none does, and then nothing bars adding it.
    private RadixNode? HoldStanding(RadixNode at, ReadOnlySpan<int> tokens)
    {
        RadixNode? standing = FindChild(at, tokens, out int common);
        if (common < tokens.Length)
        {
            DropPrefixOf(tokens, at);
            return null;
        }

        RadixNode node = FirstBlockOf(standing!);
        HoldOne(node, revive: true);
        return node;
    }

    // In place only when nothing would tell the new block from the run: one hold, and what a new child would inherit.
    private static bool CanGrow(RadixNode node) => !node.IsRoot && node.IsLeaf && node.RefCount == 1 && node.Priority <= 0;

    // A partial block that nobody holds goes when a sibling begins with all of its tokens. No unheld block but the next lower sibling
    // can be one: whatever else sorted between the two would extend it, and it would be gone already.
    private void DropPrefixOf(ReadOnlySpan<int> tokens, RadixNode parent)
    {
        if (parent.IsLeaf) return;
        int index = LowerBound(parent.Children!, tokens) - 1;
        if (index < 0) return;
        RadixNode sibling = parent.Children![index];
        if (sibling.RefCount == 0 && sibling.Run.IsPartial && tokens.StartsWith(sibling.Run.Tokens)) Drop(sibling);
    }

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
