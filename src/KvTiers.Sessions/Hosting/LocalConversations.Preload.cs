using KvTiers.Conversations;

namespace KvTiers.Sessions.Hosting;

/// <content>Loads the blocks of conversations that are expected back from colder tiers, one conversation after the other.</content>
public sealed partial class LocalConversations
{
    private const int PreloadsAtOnce = 8;
    private const int RememberedPerActive = 4;

    private readonly ReturnPredictor? _predictor;
    private int _isPreloading;
    private long _preloads;
    private long _preloadedTokens;

    // From the timer. The turns that wait need the room, and a conversation in memory is worth more than one that is guessed at.
    private void PreloadDue()
    {
        if (_predictor is null || _services.Engine.Snapshot().Waiting > 0 || Interlocked.Exchange(ref _isPreloading, 1) == 1)
            return;
        IReadOnlyList<ConversationKey> due = _active.Count < _maxActive ? _predictor.TakeDue(_services.Time.GetUtcNow(), PreloadsAtOnce) : [];
        if (due.Count == 0)
        {
            Volatile.Write(ref _isPreloading, 0);
            return;
        }

        _ = Task.Run(async () =>
        {
            foreach (ConversationKey key in due)
                await PreloadAsync(key).ConfigureAwait(false);
            Volatile.Write(ref _isPreloading, 0);
        });
    }

    private async Task PreloadAsync(ConversationKey key)
    {
        try
        {
            int tokens = await CallAsync(key, (conversation, token) => conversation.PreloadAsync(token), CancellationToken.None).ConfigureAwait(false);
            // Who sees the preload counted sees its tokens.
            Interlocked.Add(ref _preloadedTokens, tokens);
            Interlocked.Increment(ref _preloads);
        }
        catch (Exception fault) when (fault is ConversationNotFoundException or ConversationDamagedException)
        {
            _predictor!.Forget(key);
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It was a guess; the turn itself will find out.
        }
    }
}
