using System.Collections.Concurrent;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>
/// What the store evicts passes to the tier below. Whoever erases a block removes it and then waits for its passage; whoever passes it on begins the
/// passage and then looks whether it is still there. So one of the two sees the other, and no copy outlives an erasure.
/// </content>
internal abstract partial class TierLane
{
    [ThreadStatic]
    private static byte[]? _evicted;

    private readonly ConcurrentDictionary<BlockHash, TaskCompletionSource> _passages = [];
    private HandOn? _evictedTo;

    /// <summary>Says where the store's victims go.</summary>
    public void HandOnTo(HandOn below)
    {
        _evictedTo = below;
        Tier.Store.Evicting = Pass;
    }

    private void Pass(BlockHash hash, BlockAttributes attributes, ReadOnlyMemory<byte> record)
    {
        if (_evictedTo is not { } below || (attributes.Expires is { } expires && expires <= Time.GetUtcNow()))
            return;
        var passage = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // The same block may be on its way already: evicted, and written anew before it was erased.
        while (!_passages.TryAdd(hash, passage))
            _passages.GetValueOrDefault(hash)?.Task.Wait();
        try
        {
            ValueTask<int> held = Tier.Store.CountLeadingAsync(new[] { hash }, CancellationToken.None);
            if (!held.IsCompleted || held.Result == 0)
                return;
            byte[] block = _evicted is { } scratch && scratch.Length == BlockBytes ? scratch : _evicted = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);

            // A tier's own time to live is no other's.
            if (Tier.Format.TryRead(hash, record.Span, block, out _, isOwn: true) == RecordFault.None)
                below(hash, Options.TimeToLive is null ? attributes : attributes with { Expires = null }, block, Budget ?? StallBudget.None);
        }
        catch (Exception)
        {
            // The store's own answer was none. Its victim goes nowhere.
            Decline();
        }
        finally
        {
            _passages.TryRemove(hash, out _);
            passage.SetResult();
        }
    }

    private async ValueTask PassagesAsync(BlockHash[] hashes, CancellationToken cancellationToken)
    {
        foreach (BlockHash hash in hashes)
        {
            if (_passages.TryGetValue(hash, out TaskCompletionSource? passage))
                await passage.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
