using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Sessions.Erasure;

/// <summary>Erases paths from the tiers, sparing what other conversations use, and says of each tier whether it is done. Throws nothing.</summary>
/// <remarks>
/// A tier counts and does not say whether it reached its store. So it is taken for pending when the call threw or took too long, when the tier is left alone
/// for now, and when it counted a fault meanwhile, whoever's it was: to ask once more than needed does no harm.
/// </remarks>
internal sealed class PathEraser(KvCache cache, TierStack? tiers, SharedPaths shared, TimeProvider time)
{
    private static readonly TierMiss[] Faults = [TierMiss.WriteError, TierMiss.OtherError, TierMiss.Deadline, TierMiss.Unavailable];

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
        tally.Attempts++;
        if (tiers is null)
            return;
        await shared.Ready.ConfigureAwait(false);
        Dictionary<string, long> before = FaultsByTier();
        bool isReached = true;
        for (int i = 0; i < paths.Count && isReached; i++)
            isReached = await TryEraseColderAsync(root, paths[i], kept[i], tally).ConfigureAwait(false);
        Dictionary<string, long> after = FaultsByTier();
        foreach (TierUsage tier in tiers.Usage)
        {
            bool isDone = isReached && !tier.IsDegraded && after[tier.Name] == before[tier.Name];
            tally.Set(tier.Name, isDone ? ErasureOutcome.Removed : ErasureOutcome.Pending);
        }
    }

    /// <summary>A conversation is gone, whose blocks were spared so far.</summary>
    public void Unuse(ConversationKey key, BlockHash root) => shared.Set(key, root, default);

    // The number of leading blocks that colder tiers are to keep, too.
    private int EraseHot(BlockHash root, ReadOnlyMemory<int> path, ErasureTally tally)
    {
        int spared = shared.LeadingBlocks(root, path.Span);
        try
        {
            EraseResult hot = cache.Erase(root, path.Span, spared);
            tally.SharedBlocks = hot.SharedBlocks;
            tally.Add("hot", hot.ErasedBlocks, hot.ErasedBytes);
            return Math.Max(hot.SharedBlocks, spared);
        }
        catch (ObjectDisposedException)
        {
            // The process ends, and its hot blocks with it.
            tally.Add("hot", 0, 0);
            return spared;
        }
    }

    private async Task<bool> TryEraseColderAsync(BlockHash root, ReadOnlyMemory<int> path, int kept, ErasureTally tally)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        try
        {
            int spared = Math.Max(kept, shared.LeadingBlocks(root, path.Span));
            IReadOnlyList<TierRemoval> removals = await tiers!.EraseAsync(root, path, spared, shared.Contains, deadline.Token)
                .AsTask().WaitAsync(deadline.Token).ConfigureAwait(false);
            foreach (TierRemoval removal in removals)
                tally.Add(removal.Tier, removal.Blocks, removal.Bytes);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private Dictionary<string, long> FaultsByTier() =>
        tiers!.Usage.ToDictionary(tier => tier.Name, tier => Faults.Sum(fault => tier.Misses.GetValueOrDefault(fault)));
}
