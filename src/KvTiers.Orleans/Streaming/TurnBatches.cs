using System.Runtime.CompilerServices;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Streaming;

/// <summary>A turn's events in few messages: what comes soon after a message waits for the next one.</summary>
/// <remarks>
/// The first token and the end go at once, the start when no token comes within <see cref="Pace"/>, and so does what comes <see cref="Pace"/> or more after
/// the last message: a model that takes that long for a token is not slowed. What is not asked for stays with the turn, which is bounded by its length.
/// </remarks>
internal static class TurnBatches
{
    /// <summary>Most events of a message.</summary>
    public const int MaxEvents = 256;

    /// <summary>Time between messages that need not go at once; the timer that ends a wait may be as late again.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(1);

    /// <summary>Reads a turn to its end. Leaving it early ends the turn.</summary>
    public static async IAsyncEnumerable<TurnBatch> ReadAsync(
        IAsyncEnumerable<TurnEvent> turn, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var held = new List<TurnEvent>();
        bool hasToken = false;
        long sentAt = time.GetTimestamp();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        IAsyncEnumerator<TurnEvent> events = turn.GetAsyncEnumerator(leaving.Token);
        Task<bool> next = Task.FromResult(true);
        try
        {
            while (true)
            {
                next = events.MoveNextAsync().AsTask();
                if (held.Count > 0 && !await ComesAsync(next, Pace - time.GetElapsedTime(sentAt), time).ConfigureAwait(false))
                    yield return Take();
                if (!await next.ConfigureAwait(false))
                    break;
                held.Add(events.Current);
                if (events.Current is TurnStarted)
                    sentAt = time.GetTimestamp();
                bool isUrgent = events.Current is TurnCompleted || (events.Current is TurnToken && !hasToken) || held.Count == MaxEvents;
                hasToken |= events.Current is TurnToken;
                if (isUrgent)
                    yield return Take();
            }
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await events.DisposeAsync().ConfigureAwait(false);
        }

        TurnBatch Take()
        {
            TurnBatch batch = TurnBatch.Of(held);
            held.Clear();
            sentAt = time.GetTimestamp();
            return batch;
        }
    }

    // Whether there is another event, in time. Timers count whole milliseconds.
    private static async ValueTask<bool> ComesAsync(Task<bool> next, TimeSpan left, TimeProvider time)
    {
        if (!next.IsCompleted && left > TimeSpan.Zero)
            await ((Task)next).WaitAsync(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return next.IsCompletedSuccessfully && next.Result;
    }
}
