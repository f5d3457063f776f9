namespace KvTiers.Prefix;

internal sealed partial class RadixTree
{
    /// <summary>Adds a full block below a held node and moves that hold down to it, or to the identical block that stands there already.</summary>
    /// <param name="at">The held node.</param>
    /// <param name="tokens">One block of tokens.</param>
    /// <param name="slot">The slot that holds their K and V. Stays the caller's when <paramref name="duplicate"/> is true.</param>
    /// <param name="duplicate">Whether the block stood there; the result's last slot is to be used instead.</param>
    /// <returns>The node that is held now; the block is its last.</returns>
    public RadixNode Seal(RadixNode at, ReadOnlySpan<int> tokens, int slot, out bool duplicate)
    {
        RadixNode? standing = FindChild(at, tokens, out int common);
        duplicate = common == _blockSize;
        if (duplicate)
        {
            RadixNode node = standing!.Run.BlockCount == 1 ? standing : Split(standing, 1);
            HoldOne(node, revive: true);
            JoinUpper(node);
            return node;
        }

        DropPrefixOf(tokens, at);
        if (!CanGrow(at)) return AddChild(at, tokens, slot);
        AppendBlock(at, tokens, slot);
        return at;
    }

    /// <summary>Makes a partial last block matchable, or finds a block that begins with the same tokens; moves the hold down to it.</summary>
    /// <inheritdoc cref="Seal"/>
    public RadixNode Publish(RadixNode at, ReadOnlySpan<int> tokens, int slot, out bool duplicate)
    {
        RadixNode? standing = FindChild(at, tokens, out int common);
        duplicate = common == tokens.Length;
        if (duplicate)
        {
            RadixNode node = standing!.Run.BlockCount == 1 ? standing : Split(standing, 1);
            HoldOne(node, revive: true);
            return node;
        }

        DropPrefixOf(tokens, at);
        return AddChild(at, tokens, slot);
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
}
