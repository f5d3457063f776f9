using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Sessions.Erasure;

/// <summary>Erases paths from the tiers, sparing what other conversations use, and notes what each tier says. Throws nothing.</summary>
internal sealed class PathEraser(KvCache cache, TieredCache? tiers, SharedPaths shared, TimeProvider time)
{
    /// <summary>How long the tiers may take for one path.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Erases paths of a deleted conversation everywhere.</summary>
    /// <param name="root">Their namespace.</param>
    /// <param name="paths">Deepest last: a path frees what no other path goes through.</param>
    /// <param name="tally">Takes what came of it.</param>
    public async Task EraseAsync(BlockHash root, IReadOnlyList<ReadOnlyMemory<int>> paths, ErasureTally tally)
    {
        await shared.Ready.ConfigureAwait(false);
        int[] kept = [.. paths.Select(path => EraseHot(root, path, tally))];
        await EraseColderAsync(root, paths, kept, tally).ConfigureAwait(false);
    }

    /// <summary>Erases paths from the colder tiers.</summary>
    /// <param name="root">Their namespace.</param>
    /// <param name="paths">The paths.</param>
    /// <param name="kept">Of each, leading blocks that stay in any case.</param>
    /// <param name="tally">Takes what came of it.</param>
    public async Task EraseColderAsync(BlockHash root, IReadOnlyList<ReadOnlyMemory<int>> paths, IReadOnlyList<int> kept, ErasureTally tally)
    {
        tally.Begin(tiers?.Names ?? []);
        if (tiers is null)
            return;
        await shared.Ready.ConfigureAwait(false);
        bool isReached = true;
        for (int i = 0; i < paths.Count && isReached; i++)
            isReached = await TryEraseColderAsync(PathOf(root, paths[i].Span), kept[i], tally).ConfigureAwait(false);
    }

    /// <summary>A conversation is gone, whose blocks were spared so far.</summary>
    public void Unuse(ConversationKey key, BlockHash root) => shared.Set(key, PathOf(root, []));

    // The number of leading blocks that colder tiers are to keep, too.
    private int EraseHot(BlockHash root, ReadOnlyMemory<int> path, ErasureTally tally)
    {
        int spared = shared.LeadingBlocks(PathOf(root, path.Span));
        try
        {
            EraseResult hot = cache.Erase(root, path.Span, spared);
            tally.SharedBlocks = hot.SharedBlocks;
            tally.Add(new("hot", hot.ErasedBlocks, hot.ErasedBytes, ErasureState.Removed));
            return Math.Max(hot.SharedBlocks, spared);
        }
        catch (ObjectDisposedException)
        {
            // The process ends, and its hot blocks with it.
            tally.Add(new("hot", 0, 0, ErasureState.Removed));
            return spared;
        }
    }

    // False = not every tier has answered in time. The cache keeps a tombstone of its own meanwhile; this attempt stands in for an earlier one of the same path.
    private async Task<bool> TryEraseColderAsync(BlockPath path, int kept, ErasureTally tally)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        try
        {
            IReadOnlyList<TierRemoval> removals = await tiers!.ResumeAsync(tiers.TombstoneOf(path, kept), shared.Contains, deadline.Token)
                .AsTask().WaitAsync(deadline.Token).ConfigureAwait(false);
            foreach (TierRemoval removal in removals)
                tally.Add(removal);
            return true;
        }
        catch (Exception)
        {
            foreach (string tier in tiers!.Names)
                tally.Add(new(tier, 0, 0, ErasureState.Pending));
            return false;
        }
    }

    private BlockPath PathOf(BlockHash root, ReadOnlySpan<int> tokens) => new(root, cache.Shape.BlockSize, tokens);
}
