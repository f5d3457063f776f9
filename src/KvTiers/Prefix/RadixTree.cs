using KvTiers.Blocks;

namespace KvTiers.Prefix;

/// <summary>The sealed blocks of every namespace, found by their tokens: a compressed radix tree over block-aligned storage.</summary>
/// <remarks>
/// An edge is a run of whole blocks. A lookup follows children by the tokens of one block and compares whole edges at memory speed, so it
/// ends at the first differing token. Runs are split where a path ends or leaves, which keeps every node uniform: one reference
/// count, one place in the eviction order. A hold counts on every node from the one held up to the root, so a held path is never
/// evicted, and what is not held can go leaf by leaf. A split leaves the lower part its identity: holds stay valid.
/// Not thread-safe; the cache's lock guards it.
/// </remarks>
internal sealed partial class RadixTree(BlockPool pool, TimeProvider time)
{
    private readonly int _blockSize = pool.Shape.BlockSize;
    private readonly Dictionary<BlockHash, RadixRoot> _roots = [];
    private BlockHash[] _hashes = new BlockHash[pool.SlotCount];

    public EvictionOrder Order { get; } = new(time);

    public IEnumerable<RadixRoot> Roots => _roots.Values;

    public int RootCount => _roots.Count;

    /// <summary>Nodes but the roots.</summary>
    public int NodeCount { get; private set; }

    /// <summary>Blocks in the tree.</summary>
    public int BlockCount { get; private set; }

    /// <summary>Blocks that nobody holds.</summary>
    public int EvictableBlockCount { get; private set; }

    /// <summary>Blocks with the superseded mark.</summary>
    public int SupersededBlockCount { get; private set; }

    /// <summary>The hash of the block in a slot of the tree.</summary>
    public BlockHash HashOf(int slot) => _hashes[slot];

    /// <summary>The hash that names the point after the node's first <paramref name="blockCount"/> blocks.</summary>
    public BlockHash HashAfter(RadixNode node, int blockCount) =>
        node is RadixRoot root ? root.Hash : _hashes[node.Run.Slots[blockCount - 1]];

    public RadixNode GetOrAddRoot(BlockHash hash)
    {
        if (!_roots.TryGetValue(hash, out RadixRoot? root)) _roots.Add(hash, root = new RadixRoot(hash, _blockSize));
        return root;
    }

    public RadixNode? FindRoot(BlockHash hash) => _roots.GetValueOrDefault(hash);

    /// <summary>Holds a path: the node and all above it. Their superseded marks go, but that of the node itself only if told.</summary>
    public void Hold(RadixNode node, bool revive = true)
    {
        HoldOne(node, revive);
        for (RadixNode? above = node.Parent; above is not null; above = above.Parent) HoldOne(above, revive: true);
    }

    /// <summary>Gives back one hold of the nodes from <paramref name="node"/> up to, not including, <paramref name="until"/>. Counts as use.</summary>
    public void Release(RadixNode node, RadixNode? until = null)
    {
        RadixNode? at = node;
        while (at is not null && at != until)
        {
            RadixNode? parent = at.Parent;
            if (--at.RefCount == 0)
            {
                if (at is RadixRoot root) RemoveIfUnused(root);
                else if (at.Run.IsPartial && IsExtendedBySibling(at)) Drop(at);
                else Link(at);
            }

            at = parent;
        }
    }

    /// <summary>Makes a node of the first <paramref name="blockCount"/> blocks of a node; the rest stays, as its only child.</summary>
    public RadixNode Split(RadixNode node, int blockCount)
    {
        RadixNode parent = node.Parent!;
        RadixNode upper = new(_blockSize)
        {
            Parent = parent,
            Root = parent.Root,
            Children = [node],
            RefCount = node.RefCount,
            Superseded = node.Superseded,
            Priority = node.Priority,
            TimeToLive = node.TimeToLive,
            LastUsed = node.LastUsed,
            UseOrder = node.UseOrder,
        };
        parent.Children![IndexOf(node)] = upper;
        upper.Run = node.Run.SplitFront(blockCount);
        node.Parent = upper;
        if (node.List is not null) EvictionOrder.InsertUpper(upper, node);
        NodeCount++;
        return upper;
    }

    // The reverse of a split, once no hold ends between the two: equal counts say so.
    private void JoinUpper(RadixNode node)
    {
        RadixNode upper = node.Parent!;
        if (upper.IsRoot || node.Run.IsPartial || upper.RefCount == 0 || upper.RefCount != node.RefCount || upper.Children!.Count > 1) return;
        if (upper.Priority != node.Priority || upper.TimeToLive != node.TimeToLive || upper.Superseded != node.Superseded) return;
        int index = IndexOf(upper);
        node.Run.JoinFront(upper.Run);
        upper.Parent!.Children![index] = node;
        node.Parent = upper.Parent;
        NodeCount--;
    }

    private void HoldOne(RadixNode node, bool revive)
    {
        if (node.RefCount++ == 0 && !node.IsRoot) Unlink(node);
        if (revive && node.Superseded) Revive(node);
    }

    private RadixNode AddChild(RadixNode parent, ReadOnlySpan<int> tokens, BlockHash hash, int slot)
    {
        RadixNode child = new(_blockSize)
        {
            Parent = parent,
            Root = parent.Root,
            RefCount = 1,
            Priority = parent.IsRoot ? 0 : Math.Min(parent.Priority, 0),
            TimeToLive = parent.IsRoot ? RadixNode.NoTimeToLive : parent.TimeToLive,
        };
        parent.Children ??= new List<RadixNode>(1);
        parent.Children.Insert(LowerBound(parent.Children, tokens), child);
        NodeCount++;
        AppendBlock(child, tokens, hash, slot);
        return child;
    }

    private void AppendBlock(RadixNode node, ReadOnlySpan<int> tokens, BlockHash hash, int slot)
    {
        if (slot >= _hashes.Length) Array.Resize(ref _hashes, pool.SlotCount);
        _hashes[slot] = hash;
        node.Run.Append(tokens, slot);
        BlockCount++;
        node.Root.BlockCount++;
    }

    // Out of the tree; the slots are the caller's.
    private void Detach(RadixNode node)
    {
        RadixNode parent = node.Parent!;
        if (node.List is not null) Unlink(node);
        if (node.Superseded) Revive(node);
        parent.Children!.RemoveAt(IndexOf(node));
        parent.Run.TrimExcess();
        BlockCount -= node.Run.BlockCount;
        node.Root.BlockCount -= node.Run.BlockCount;
        NodeCount--;
        if (parent is RadixRoot root) RemoveIfUnused(root);
    }

    private void Drop(RadixNode node)
    {
        Detach(node);
        ReadOnlySpan<int> slots = node.Run.Slots;
        for (int i = slots.Length - 1; i >= 0; i--) pool.Free(slots[i]);
    }

    private void RemoveIfUnused(RadixRoot root)
    {
        if (root.IsLeaf && root.RefCount == 0) _roots.Remove(root.Hash);
    }

    private void Link(RadixNode node)
    {
        Order.Append(node);
        EvictableBlockCount += node.Run.BlockCount;
    }

    private void Unlink(RadixNode node)
    {
        EvictionOrder.Remove(node);
        EvictableBlockCount -= node.Run.BlockCount;
    }

    private void Revive(RadixNode node)
    {
        node.Superseded = false;
        SupersededBlockCount -= node.Run.BlockCount;
    }
}
