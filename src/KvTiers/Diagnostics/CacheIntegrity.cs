using System.Diagnostics.CodeAnalysis;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Diagnostics;

/// <summary>Re-derives every invariant of a cache from its parts; <c>docs/invariants.md</c> lists them.</summary>
/// <remarks>Takes time in proportion to the blocks, hashes included, and holds the cache's lock meanwhile: for tests and for looking into faults.</remarks>
public sealed class CacheIntegrity
{
    private readonly BlockPool _pool;
    private readonly RadixTree _tree;
    private readonly string?[] _owners;
    private readonly Dictionary<RadixNode, int> _holds = [];
    private readonly HashSet<RadixNode> _nodes = [];
    private int _treeBlocks;
    private int _evictableBlocks;
    private int _supersededBlocks;

    private CacheIntegrity(BlockPool pool, RadixTree tree)
    {
        _pool = pool;
        _tree = tree;
        _owners = new string?[pool.SlotCount];
    }

    /// <summary>Checks everything; the cache may be in use by other threads.</summary>
    /// <exception cref="CacheIntegrityException">An invariant is broken; the message names the first one found.</exception>
    public static void Check(KvCache cache)
    {
        ArgumentNullException.ThrowIfNull(cache);
        cache.Inspect((tree, leases, pins, evictions, late) =>
        {
            CacheIntegrity integrity = new(cache.Pool, tree);
            integrity.CheckFreeQueue();
            foreach (BlockLease lease in leases) integrity.CheckLease(lease);
            integrity.CheckPendingFree(evictions, late);
            foreach (Pin pin in pins) integrity.CountHold(pin.Node);
            foreach (RadixRoot root in tree.Roots) integrity.CheckNode(root, root.Hash);
            integrity.CheckEvictionOrder();
            integrity.CheckTotals();
        });
    }

    private void CheckFreeQueue()
    {
        foreach (int slot in _pool.FreeSlots())
        {
            Own(slot, "the free queue");
            RequireState(slot, SlotState.Free);
        }

        for (int slot = 0; slot < _pool.SlotCount; slot++)
        {
            if (_pool.State(slot) == SlotState.Retired)
                Own(slot, "the retired slots");
        }
    }

    private void CheckLease(BlockLease lease)
    {
        int blockSize = _pool.Shape.BlockSize;
        BlockTable table = lease.Table;
        CountHold(lease.Node);
        Require(lease.TokenCount <= table.Count * blockSize, "a lease has more tokens than its blocks hold");
        Require((lease.SharedBlockCount - 1) * blockSize < lease.TokenCount || lease.SharedBlockCount == 0, "a lease holds a block without a token of it");
        for (int i = 0; i < table.Count; i++)
            Require(table.Addresses[i] == _pool.Address(table.Slots[i]), "a table's address is not its slot's");

        int entry = lease.SharedBlockCount;
        for (RadixNode? node = lease.Node; node is not null; node = node.Parent)
        {
            entry -= node.Run.BlockCount;
            Require(entry >= 0, "a lease's path is longer than its shared part");
            Require(node.Run.Slots.SequenceEqual(table.Slots.Slice(entry, node.Run.BlockCount)), "a table disagrees with the path that its lease holds");
            int tokenCount = Math.Min(node.Run.TokenCount, lease.TokenCount - entry * blockSize);
            Require(node.Run.Tokens[..tokenCount].SequenceEqual(lease.Tokens.Slice(entry * blockSize, tokenCount)), "a lease holds a path of other tokens");
            if (node is RadixRoot root) Require(root.Hash == lease.Root, "a lease holds a path of another namespace");
        }

        Require(entry == 0, "a lease's path is shorter than its shared part");
        for (int i = lease.SharedBlockCount; i < table.Count; i++) OwnPrivately(table.Slots[i]);
        if (lease.CopyTarget is { } target) OwnPrivately(target);
    }

    private void CheckPendingFree(IReadOnlyCollection<Eviction> evictions, IReadOnlyCollection<int[]> late)
    {
        foreach (int slot in evictions.SelectMany(eviction => eviction.Blocks).Select(block => block.Slot).Concat(late.SelectMany(slots => slots)))
        {
            Own(slot, "an eviction or a late read");
            RequireState(slot, SlotState.Used);
        }

        Require(evictions.Sum(eviction => eviction.PromisedBlocks) <= _pool.FreeCount, "more free blocks are promised than there are");
    }

    private void OwnPrivately(int slot)
    {
        Own(slot, "a lease");
        RequireState(slot, SlotState.Used);
    }

    private void CountHold(RadixNode node)
    {
        for (RadixNode? at = node; at is not null; at = at.Parent)
            _holds[at] = _holds.GetValueOrDefault(at) + 1;
    }

    private void CheckNode(RadixNode node, BlockHash parentHash)
    {
        _nodes.Add(node);
        Require(node.RefCount == _holds.GetValueOrDefault(node), "a node's reference count is not the number of holds through it");
        Require(node.IsRoot == (node.Run.BlockCount == 0), "a node has no blocks");
        Require(!node.IsRoot || !node.IsLeaf || node.RefCount > 0, "an unused root was kept");
        BlockHash hash = node.IsRoot ? parentHash : CheckRun(node, parentHash);
        if (!node.IsRoot)
        {
            Require(node.List is null == node.RefCount > 0, "a node is in an eviction list and held, or in none and not held");
            Require(node.List is null || node.List.Accepts(node), "a node is in another's eviction list");
            if (node.List is not null) _evictableBlocks += node.Run.BlockCount;
            if (node.Superseded) _supersededBlocks += node.Run.BlockCount;
        }

        if (node.IsLeaf) return;
        Require(!node.Run.IsPartial, "a partial block has a successor");
        for (int i = 0; i < node.Children!.Count; i++)
        {
            RadixNode child = node.Children[i];
            Require(child.Parent == node, "a child has another parent");
            Require(child.Root == node.Root, "a child is of another namespace");
            if (i > 0) CheckSiblings(node.Children[i - 1], child);
            if (!node.IsRoot) CheckRank(node, child);
            CheckNode(child, hash);
        }
    }

    private BlockHash CheckRun(RadixNode node, BlockHash hash)
    {
        int blockSize = _pool.Shape.BlockSize;
        Require(!node.Run.IsPartial || node.Run.BlockCount == 1, "a partial block shares its node");
        Require(_pool.Shape.BlocksFor(node.Run.TokenCount) == node.Run.BlockCount, "a run's tokens do not fill its blocks");
        _treeBlocks += node.Run.BlockCount;
        for (int i = 0; i < node.Run.BlockCount; i++)
        {
            int slot = node.Run.Slots[i];
            Own(slot, "the tree");
            RequireState(slot, SlotState.Used);
            hash = hash.Next(node.Run.Tokens[(i * blockSize)..Math.Min((i + 1) * blockSize, node.Run.TokenCount)]);
            Require(_tree.HashOf(slot) == hash, "a block's hash is not derived from its path");
        }

        return hash;
    }

    private static void CheckSiblings(RadixNode left, RadixNode right)
    {
        ReadOnlySpan<int> leftBlock = left.Run.FirstBlockTokens;
        ReadOnlySpan<int> rightBlock = right.Run.FirstBlockTokens;
        Require(leftBlock.SequenceCompareTo(rightBlock) < 0, "siblings are out of order, or begin with the same block");
        Require(left.RefCount > 0 || !left.Run.IsPartial || !rightBlock.StartsWith(leftBlock), "an unheld partial block has a longer sibling");
    }

    private static void CheckRank(RadixNode parent, RadixNode child)
    {
        Require(child.Superseded || !parent.Superseded, "a superseded node has a live child");
        Require(parent.Priority >= child.Priority, "a node ranks below a child");
        Require(parent.TimeToLive >= child.TimeToLive, "a node lives shorter than a child");
        bool comparable = parent.List is not null && child.List is not null && parent.Superseded == child.Superseded;
        Require(!comparable || (parent.UseOrder >= child.UseOrder && parent.LastUsed >= child.LastUsed), "a node was used before its child");
        Require(parent.RefCount >= child.RefCount, "a child is held and its parent is not");
    }

    private void CheckEvictionOrder()
    {
        int listed = 0;
        HashSet<RadixNode> seen = [];
        foreach (EvictionList list in _tree.Order.Lists)
        {
            RadixNode? previous = null;
            for (RadixNode? node = list.Head; node is not null; previous = node, node = node.Next)
            {
                Require(node.List == list && node.Previous == previous && _nodes.Contains(node), "an eviction list is linked wrongly");
                Require(previous is null || previous.UseOrder <= node.UseOrder, "an eviction list is out of order");
                foreach (RadixNode child in node.Children ?? []) Require(child.List != list || seen.Contains(child), "a parent goes before its child");
                Require(seen.Add(node), "an eviction list runs in a circle");
                listed += node.Run.BlockCount;
            }

            Require(list.Tail == previous, "an eviction list ends elsewhere");
        }

        Require(listed == _evictableBlocks, "the eviction lists and the tree disagree on the evictable blocks");
    }

    private void CheckTotals()
    {
        foreach (RadixNode node in _holds.Keys) Require(_nodes.Contains(node), "a held node is not in the tree");
        Require(_tree.BlockCount == _treeBlocks, "the running total of blocks is wrong");
        foreach (RadixRoot root in _tree.Roots)
            Require(root.BlockCount == _nodes.Where(node => node.Root == root).Sum(node => node.Run.BlockCount), "the running total of a namespace's blocks is wrong");
        Require(_tree.EvictableBlockCount == _evictableBlocks, "the running total of evictable blocks is wrong");
        Require(_tree.SupersededBlockCount == _supersededBlocks, "the running total of superseded blocks is wrong");
        Require(_tree.NodeCount == _nodes.Count - _tree.RootCount, "the running total of nodes is wrong");
        int lost = Array.IndexOf(_owners, null);
        if (lost >= 0) throw new CacheIntegrityException($"Slot {lost} is {_pool.State(lost)} and belongs to nobody.");
    }

    private void Own(int slot, string owner)
    {
        if (_owners[slot] is { } other) throw new CacheIntegrityException($"Slot {slot} belongs to {owner} and to {other}.");
        _owners[slot] = owner;
    }

    private void RequireState(int slot, SlotState state)
    {
        if (_pool.State(slot) != state) throw new CacheIntegrityException($"Slot {slot} belongs to {_owners[slot]} and is {_pool.State(slot)}.");
    }

    private static void Require([DoesNotReturnIf(false)] bool condition, string fault)
    {
        if (!condition) throw new CacheIntegrityException($"The cache is damaged: {fault}.");
    }
}
