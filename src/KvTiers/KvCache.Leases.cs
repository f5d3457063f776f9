using KvTiers.Prefix;

namespace KvTiers;

public sealed partial class KvCache
{
    /// <inheritdoc cref="BlockLease.TryReserve"/>
    internal bool TryReserve(BlockLease lease, int tokenCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokenCount);
        int copySource;
        int copyTarget;
        lock (_lock)
        {
            Require(lease);
            if (tokenCount == 0) return true;
            int wantedCount = BlocksFor((long)lease.TokenCount + tokenCount);
            bool copies = SharesTail(lease);
            if (!TryMakeRoom(Math.Max(0, wantedCount - lease.Table.Count) + (copies ? 1 : 0))) return false;

            for (int i = lease.Table.Count; i < wantedCount; i++) AppendEntry(lease, TakeSlot());
            lease.Path.EnsureCapacity(lease.Table.Count * Shape.BlockSize);
            NotifyTaken(AvailableCount - (copies ? 1 : 0));
            if (!copies) return true;
            copySource = lease.Table.Slots[lease.SharedBlockCount - 1];
            copyTarget = TakeSlot();
            lease.CopyTarget = copyTarget;
        }

        Pool.Copy(copySource, copyTarget);
        lock (_lock)
        {
            ReleaseShared(lease, lease.SharedBlockCount - 1);
            lease.Table.Set(lease.SharedBlockCount, copyTarget, Pool.Address(copyTarget));
            lease.CopyTarget = null;
            _totals.CopiedBlocks++;
            return true;
        }
    }

    /// <summary>Whether <see cref="BlockLease.TryReserve"/> would find room now. Evicts nothing, and promises nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public bool CanReserve(BlockLease lease, int tokenCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokenCount);
        lock (_lock)
        {
            Require(lease);
            LapsePins();
            int missing = Math.Max(0, BlocksFor((long)lease.TokenCount + tokenCount) - lease.Table.Count) + (SharesTail(lease) ? 1 : 0);
            return tokenCount == 0 || (long)AvailableCount + _tree.EvictableBlockCount >= missing;
        }
    }

    /// <inheritdoc cref="BlockLease.Append"/>
    internal void Append(BlockLease lease, ReadOnlySpan<int> tokens) => AppendCore(lease, tokens, isPromoted: false);

    /// <summary><see cref="BlockLease.Append"/> for the next whole blocks of a path, which come from a colder tier and are no news to the recipient.</summary>
    internal void AppendPromoted(BlockLease lease, BlockPath path, int blockCount)
    {
        for (int i = 0; i < blockCount; i++) AppendCore(lease, path.Tokens.Slice(lease.TokenCount, Shape.BlockSize), isPromoted: true, path);
    }

    private void AppendCore(BlockLease lease, ReadOnlySpan<int> tokens, bool isPromoted, BlockPath? knownBy = null)
    {
        lock (_lock)
        {
            Require(lease);
            int room = SharesTail(lease) ? 0 : lease.Table.Count * Shape.BlockSize - lease.TokenCount;
            if (tokens.Length > room) throw new InvalidOperationException($"{tokens.Length} tokens are to follow, and room for {room} is reserved.");
            lease.Path.Append(tokens);
            if (knownBy is not null) lease.Path.Anchor(lease.Path.BlockCount, knownBy.HashAfter(lease.Path.BlockCount));
            while (!lease.IsPrivate && lease.TokenCount - lease.SharedBlockCount * Shape.BlockSize >= Shape.BlockSize) Seal(lease, isPromoted);
        }
    }

    /// <summary>Forgets the tokens from <paramref name="tokenCount"/> on: blocks of the lease alone are freed, also reserved ones; sealed ones released.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The lease has fewer tokens.</exception>
    public void Truncate(BlockLease lease, int tokenCount) => Truncate(lease, tokenCount, late: null);

    /// <summary>As <see cref="Truncate(BlockLease, int)"/>; where somebody may still write into what is cut off, its blocks are free when that has ended.</summary>
    internal void Truncate(BlockLease lease, int tokenCount, Task? late)
    {
        lock (_lock)
        {
            Require(lease);
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)tokenCount, (uint)lease.TokenCount, nameof(tokenCount));
            int blockCount = Shape.BlocksFor(tokenCount);
            int firstOwn = Math.Max(blockCount, lease.SharedBlockCount);
            if (late is null) FreeEntries(lease, firstOwn, lease.Table.Count);
            else FreeLater(lease, firstOwn, lease.Table.Count, late);
            if (blockCount < lease.SharedBlockCount) ReleaseShared(lease, blockCount);
            lease.Table.Truncate(blockCount);
            lease.Path.Truncate(tokenCount);
            AnchorPath(lease);
        }
    }

    /// <inheritdoc cref="BlockLease.Publish"/>
    internal void Publish(BlockLease lease)
    {
        lock (_lock)
        {
            Require(lease);
            int tailStart = lease.SharedBlockCount * Shape.BlockSize;
            if (lease.IsPrivate || lease.TokenCount <= tailStart) return;
            ReadOnlySpan<int> tokens = lease.Tokens[tailStart..];
            int slot = lease.Table.Slots[lease.SharedBlockCount];
            lease.Node = _tree.Publish(lease.Node, lease.Path, lease.SharedBlockCount, slot, out bool duplicate);
            if (duplicate)
            {
                UseStandingBlock(lease, slot);
            }
            else
            {
                _totals.PublishedBlocks++;
                NotifySealed(lease.Node, slot, tokens.Length);
            }

            lease.SharedBlockCount++;
        }
    }

    /// <summary>Takes a second lease on the same tokens. Shared blocks stay shared; those of the lease alone are copied: a partial last one, or all of a private lease.</summary>
    /// <returns>The fork, without reserved room; null when too few blocks are free for the copies.</returns>
    public BlockLease? TryFork(BlockLease lease)
    {
        BlockLease fork;
        int copyCount;
        lock (_lock)
        {
            Require(lease);
            copyCount = Math.Max(0, Shape.BlocksFor(lease.TokenCount) - lease.SharedBlockCount);
            if (!TryMakeRoom(copyCount)) return null;
            fork = new BlockLease(this, lease.Root, lease.Node)
            {
                IsPrivate = lease.IsPrivate,
                SharedBlockCount = lease.SharedBlockCount,
                CachedTokenCount = lease.TokenCount,
            };
            _tree.Hold(fork.Node, revive: false);
            FillTable(fork, from: 0);
            for (int i = 0; i < copyCount; i++) AppendEntry(fork, TakeSlot());
            fork.Path.EnsureCapacity(fork.Table.Count * Shape.BlockSize);
            fork.Path.Append(lease.Tokens);
            AnchorPath(fork);
            _leases.Add(fork);
            _totals.Forks++;
            _totals.CopiedBlocks += copyCount;
        }

        for (int entry = lease.SharedBlockCount; entry < lease.SharedBlockCount + copyCount; entry++)
            Pool.Copy(lease.Table.Slots[entry], fork.Table.Slots[entry]);
        return fork;
    }

    internal void Release(BlockLease lease)
    {
        lock (_lock)
        {
            if (_disposed) return;
            FreeEntries(lease, lease.SharedBlockCount, lease.Table.Count);
            _tree.Release(lease.Node);
            _leases.Remove(lease);
            lease.SharedBlockCount = 0;
            lease.Path.Truncate(0);
            lease.Table.Truncate(0);
        }
    }

    private void Seal(BlockLease lease, bool isPromoted)
    {
        int entry = lease.SharedBlockCount;
        int slot = lease.Table.Slots[entry];
        lease.Node = _tree.Seal(lease.Node, lease.Path, entry, slot, out bool duplicate);
        if (duplicate)
        {
            UseStandingBlock(lease, slot);
        }
        else
        {
            _totals.SealedBlocks++;
            _reuse?.Clear(slot);
            if (!isPromoted) NotifySealed(lease.Node, slot, Shape.BlockSize);
        }

        lease.SharedBlockCount++;
    }

    // Bits are equal by construction, so a prefix is held once.
    private void UseStandingBlock(BlockLease lease, int ownSlot)
    {
        int standing = lease.Node.Run.LastSlot;
        lease.Table.Set(lease.SharedBlockCount, standing, Pool.Address(standing));
        Pool.Free(ownSlot);
        _totals.DuplicateBlocks++;
    }

    // Moves the hold up to the first blocks of the path.
    private void ReleaseShared(BlockLease lease, int keptBlocks)
    {
        RadixNode node = lease.Node;
        int above = lease.SharedBlockCount - node.Run.BlockCount;
        while (above >= keptBlocks && !node.IsRoot)
        {
            node = node.Parent!;
            above -= node.Run.BlockCount;
        }

        RadixNode kept = above < keptBlocks && above + node.Run.BlockCount > keptBlocks ? _tree.Split(node, keptBlocks - above) : node;
        _tree.Release(lease.Node, until: kept);
        lease.Node = kept;
        lease.SharedBlockCount = keptBlocks;
    }

    private void AppendEntry(BlockLease lease, int slot) => lease.Table.Append(slot, Pool.Address(slot));

    private int BlocksFor(long tokenCount) => (int)Math.Min(int.MaxValue, (tokenCount + Shape.BlockSize - 1) / Shape.BlockSize);
}
