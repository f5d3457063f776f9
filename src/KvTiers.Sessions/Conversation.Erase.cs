using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Sessions;

/// <content>What nobody comes back to goes: with the conversation, or when it has gathered.</content>
public sealed partial class Conversation
{
    // Former logs that undo no longer reaches, and cancelled turns: their blocks are erased when that many have gathered.
    private const int MaxAbandoned = 4;

    // Paths that could not be erased whole are kept up to so many.
    private const int MaxLeftovers = 32;

    private async Task<DeleteReceipt> EraseAsync(ConversationState state)
    {
        _lease?.Dispose();
        _lease = null;
        DropPin();

        // Deepest first: a path frees what no other path, of this conversation or another, goes through.
        var erased = new Dictionary<string, TierErasure>();
        int shared = 0;
        IEnumerable<ReadOnlyMemory<int>> paths = [.. _abandoned, .. state.Undo.Select(log => log.Tokens), state.LastTurnLog?.Tokens ?? default, state.Log.Tokens];
        _abandoned.Clear();

        // What is being erased in the background is no part of the receipt, and must not be counted by both.
        await _services.ErasedAsync().ConfigureAwait(false);
        await _services.Paths.Ready.ConfigureAwait(false);
        foreach (BlockPath path in paths.Select(tokens => _services.PathOf(_root, tokens.Span)))
        {
            int spared = _services.Paths.LeadingBlocks(path);
            EraseResult hot = Cache.Erase(_root, path.Tokens, spared);
            shared = hot.SharedBlocks;
            Count(erased, "hot", hot.ErasedBlocks, hot.ErasedBytes);
            if (Tiers is not { } tiers)
                continue;
            IReadOnlyList<TierRemoval> removals =
                await tiers.EraseAsync(path, Math.Max(shared, spared), _services.Paths.Contains, CancellationToken.None).ConfigureAwait(false);
            foreach (TierRemoval removal in removals)
                Count(erased, removal.Tier, removal.Blocks, removal.Bytes, removal.State);
        }

        return new() { Conversation = Key.Id, Tiers = [.. erased.Values], BlocksShared = shared };
    }

    private static void Count(Dictionary<string, TierErasure> erased, string tier, int blocks, long bytes, ErasureState state = ErasureState.Removed)
    {
        TierErasure so = erased.GetValueOrDefault(tier) ?? new() { Tier = tier, Blocks = 0, Bytes = 0 };
        erased[tier] = so with { Blocks = so.Blocks + blocks, Bytes = so.Bytes + bytes, State = state > so.State ? state : so.State };
    }

    private void Abandon(ReadOnlyMemory<int> tokens)
    {
        _abandoned.Enqueue(tokens);
        EraseAbandoned(leaving: MaxAbandoned);
    }

    // The log is leased while paths are erased, so that nothing of its own goes with them.
    private void EraseAbandoned(int leaving)
    {
        if (_abandoned.Count <= leaving)
            return;
        using BlockLease? guard = _lease is null && _state is not null ? Cache.Acquire(_root, _state.Log.Tokens.Span) : null;
        for (int count = _abandoned.Count - leaving; count > 0; count--)
        {
            ReadOnlyMemory<int> path = _abandoned.Dequeue();
            BlockPath blocks = _services.PathOf(_root, path.Span);
            int spared = _services.Paths.LeadingBlocks(blocks);
            EraseResult hot = Cache.Erase(_root, path.Span, spared);
            _services.EraseColder(blocks, Math.Max(hot.SharedBlocks, spared));

            // Of a block that the log begins in, too, the deletion is to know.
            if (hot.SharedBlocks > spared && _abandoned.Count < MaxLeftovers)
                _abandoned.Enqueue(path);
        }
    }
}
