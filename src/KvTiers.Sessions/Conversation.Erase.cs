using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions;

/// <content>Erases what nobody comes back to: with the conversation, or when enough has gathered.</content>
public sealed partial class Conversation
{
    // Former logs that undo no longer reaches, and cancelled turns: their blocks are erased when that many have gathered.
    private const int MaxAbandoned = 4;

    // Paths that could not be erased whole are kept up to so many.
    private const int MaxLeftovers = 32;

    // Every path that was the conversation's. Deepest first: a path frees what no other path, of this conversation or another, goes through.
    private List<ReadOnlyMemory<int>> PathsOf(ConversationState state) =>
        [.. _abandoned, .. state.Undo.Select(log => log.Tokens), state.LastTurnLog?.Tokens ?? default, state.Log.Tokens];

    private Task<Tombstone> BuryAsync(ConversationState state, CancellationToken cancellationToken) =>
        _services.Erasures.BeginAsync(Key, state.Version, _root, PathsOf(state).Where(path => !path.IsEmpty), cancellationToken);

    private Task<DeleteReceipt> EraseAsync(Tombstone tombstone)
    {
        _lease?.Dispose();
        _lease = null;
        DropPin();
        _abandoned.Clear();
        return _services.Erasures.FinishAsync(tombstone);
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
            _services.Erasures.EraseSoon(Key, blocks, Math.Max(hot.SharedBlocks, spared));

            // Of a block that the log begins in, too, the deletion is to know.
            if (hot.SharedBlocks > spared && _abandoned.Count < MaxLeftovers)
                _abandoned.Enqueue(path);
        }
    }
}
