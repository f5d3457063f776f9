using KvTiers.Conversations;
using KvTiers.Sessions.Changes;

namespace KvTiers.Sessions.Hosting;

/// <summary>
/// The conversations in memory. A call enters one, alone, and leaves it. Invariants: a conversation with users stays; those that a caller is
/// inside of, and those that are idle, are at most <see cref="LocalConversationsOptions.MaxActive"/>; idle ones hold at most their share of the hot blocks.
/// </summary>
internal sealed class ActiveConversations(ConversationServices services, LocalConversationsOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ConversationKey, ActiveConversation> _active = [];
    private readonly LinkedList<ActiveConversation> _idle = new();
    private readonly SemaphoreSlim _seats = new(options.MaxActive, options.MaxActive);
    private long _activations;

    public int Count
    {
        get
        {
            lock (_lock)
                return _active.Count;
        }
    }

    /// <summary>Conversations with a caller inside or waiting.</summary>
    public int BusyCount
    {
        get
        {
            lock (_lock)
                return _active.Count - _idle.Count;
        }
    }

    /// <summary>Hot blocks that idle conversations hold; a shared block counts for each.</summary>
    public long IdleLeasedBlocks
    {
        get
        {
            lock (_lock)
                return _idle.Sum(idle => (long)idle.Conversation.LeasedBlocks);
        }
    }

    /// <summary>Conversations ever taken into memory.</summary>
    public long Activations
    {
        get
        {
            lock (_lock)
                return _activations;
        }
    }

    public HashSet<ConversationKey> Keys()
    {
        lock (_lock)
            return [.. _active.Keys];
    }

    /// <summary>The newest state in memory; null = none is.</summary>
    public ConversationState? StateOf(ConversationKey key)
    {
        lock (_lock)
            return _active.TryGetValue(key, out ActiveConversation? found) ? found.Conversation.State : null;
    }

    /// <summary>Waits until the caller is alone with the conversation.</summary>
    public async Task<EnteredConversation> EnterAsync(ConversationKey key, CancellationToken cancellationToken)
    {
        ActiveConversation entered = Register(key);
        try
        {
            await entered.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await _seats.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                entered.Gate.Release();
                throw;
            }
        }
        catch
        {
            Unregister(entered);
            throw;
        }

        return new(this, entered);
    }

    public void Leave(ActiveConversation entered)
    {
        _seats.Release();
        entered.Gate.Release();
        Unregister(entered);
    }

    /// <summary>Deactivates a conversation that has no users.</summary>
    public void Release(ConversationKey key)
    {
        lock (_lock)
        {
            if (_active.TryGetValue(key, out ActiveConversation? found) && found.Idle is not null)
                Deactivate(found);
        }
    }

    /// <summary>Deactivates what was idle for long, and takes the blocks of all idle ones when the engine lacks room.</summary>
    public void Sweep()
    {
        bool needsRoom = services.Engine.Snapshot().Waiting > 0;
        DateTimeOffset limit = services.Time.GetUtcNow() - options.IdleAfter;
        lock (_lock)
        {
            for (LinkedListNode<ActiveConversation>? node = _idle.First, next; node is not null; node = next)
            {
                next = node.Next;
                Conversation conversation = node.Value.Conversation;
                conversation.DropLapsedPin();
                bool lapsed = node.Value.IdleSince <= limit;
                if (lapsed && !conversation.IsPinned)
                    Deactivate(node.Value);
                else if (lapsed || needsRoom)
                    conversation.ReleaseLease();
            }
        }
    }

    /// <summary>Deactivates all; there are no users any more.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            while (_idle.First is { } first)
                Deactivate(first.Value);
        }
    }

    private ActiveConversation Register(ConversationKey key)
    {
        lock (_lock)
        {
            if (!_active.TryGetValue(key, out ActiveConversation? found))
            {
                _active[key] = found = new(new(key, services));
                _activations++;
            }

            if (found.Idle is not null)
                _idle.Remove(found.Idle);
            found.Idle = null;
            found.Users++;
            DeactivateSurplus();
            return found;
        }
    }

    private void Unregister(ActiveConversation entered)
    {
        lock (_lock)
        {
            if (--entered.Users > 0)
                return;
            entered.Idle = _idle.AddLast(entered);
            entered.IdleSince = services.Time.GetUtcNow();
            if (entered.Conversation.State is null)
                Deactivate(entered);
            DeactivateSurplus();
            ReleaseOverShare();
        }
    }

    private void DeactivateSurplus()
    {
        while (_active.Count > options.MaxActive && _idle.First is { } longest)
            Deactivate(longest.Value);
    }

    private void ReleaseOverShare()
    {
        long allowed = (long)(options.LeasedShare * services.Engine.Cache.Pool.Capacity);
        long leased = _idle.Sum(idle => (long)idle.Conversation.LeasedBlocks);
        for (LinkedListNode<ActiveConversation>? node = _idle.First; node is not null && leased > allowed; node = node.Next)
        {
            leased -= node.Value.Conversation.LeasedBlocks;
            node.Value.Conversation.ReleaseLease();
        }
    }

    private void Deactivate(ActiveConversation idle)
    {
        _idle.Remove(idle.Idle!);
        idle.Idle = null;
        _active.Remove(idle.Conversation.Key);
        idle.Conversation.Dispose();
    }
}
