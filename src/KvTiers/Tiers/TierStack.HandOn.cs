using System.Collections.Concurrent;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>
/// What a tier in memory evicts passes to the tier below. Whoever erases a block removes it above and then waits for its passage;
/// whoever passes it on begins the passage and then looks whether it is still there. So one of the two sees the other, and no copy
/// outlives an erasure.
/// </content>
public sealed partial class TierStack
{
    private readonly ConcurrentDictionary<(int Tier, BlockHash Hash), TaskCompletionSource> _passages = [];

    [ThreadStatic]
    private static byte[]? _handOnBuffer;

    private void HandOn(BlockTier from, RamStore store, BlockHash hash, BlockAttributes attributes, ReadOnlyMemory<byte> record, int tier)
    {
        if (attributes.Expires is { } expires && expires <= _time.GetUtcNow())
        {
            return;
        }

        var passage = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (!_passages.TryAdd((tier, hash), passage))
        {
            // The same block, evicted before it was erased and written anew.
            _passages.GetValueOrDefault((tier, hash))?.Task.Wait();
        }

        try
        {
            if (store.Holds(hash))
            {
                PassOn(from, hash, attributes, record.Span, tier);
            }
        }
        finally
        {
            _passages.TryRemove((tier, hash), out _);
            passage.SetResult();
        }
    }

    private void PassOn(BlockTier from, BlockHash hash, BlockAttributes attributes, ReadOnlySpan<byte> record, int tier)
    {
        byte[] block = _handOnBuffer is { } scratch && scratch.Length == Cache.Layout.BytesPerBlock
            ? scratch
            : _handOnBuffer = GC.AllocateUninitializedArray<byte>(Cache.Layout.BytesPerBlock, pinned: true);
        if (from.Format.TryRead(hash, record, block) == RecordFault.None)
        {
            // A tier's own time to live is no other's.
            Demote(hash, block, _tiers[tier].TimeToLive is null ? attributes : attributes with { Expires = null }, tier);
        }
    }

    private async ValueTask PassagesAsync(int tier, BlockHash[] hashes, CancellationToken cancellationToken)
    {
        foreach (BlockHash hash in hashes)
        {
            if (_passages.TryGetValue((tier, hash), out TaskCompletionSource? passage))
            {
                await passage.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
