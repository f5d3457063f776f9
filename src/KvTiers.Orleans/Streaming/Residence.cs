using System.Runtime.CompilerServices;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Streaming;

/// <summary>That a conversation's grain is active on this silo: turns asked for on the same silo go from here straight to the actor, without a message for each batch.</summary>
/// <remarks>
/// The grain stays while a turn runs (<see cref="WhenIdleAsync"/> is what it waits for), and when it is given up all the same, the turns end first
/// (<see cref="CloseAsync"/>). Thread-safe.
/// </remarks>
internal sealed class Residence
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closing = new();
    private TaskCompletionSource? _busy;
    private int _turns;
    private bool _isClosed;

    /// <summary>Whether a turn may run; <paramref name="isFirst"/>: none did until now, so the grain must be told to stay. Each is followed by one <see cref="Leave"/>.</summary>
    public bool TryEnter(out bool isFirst)
    {
        lock (_lock)
        {
            isFirst = _turns == 0;
            if (_isClosed)
                return false;
            if (_turns++ == 0)
                _busy = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    /// <summary>Says that a turn has ended.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            if (--_turns == 0)
                _busy!.SetResult();
        }
    }

    /// <summary>Reads a turn that has entered, to its end or until this is closed, and leaves.</summary>
    /// <exception cref="ConversationUnreachableException">The grain was given up meanwhile, as a silo does that stops.</exception>
    public async IAsyncEnumerable<TurnEvent> ReadAsync(Func<IAsyncEnumerable<TurnEvent>> turn, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            await using IAsyncEnumerator<TurnEvent> events = turn().GetAsyncEnumerator(leaving.Token);
            while (await MoveNextAsync(events).ConfigureAwait(false))
                yield return events.Current;
        }
        finally
        {
            Leave();
        }

        async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<TurnEvent> events)
        {
            try
            {
                return await events.MoveNextAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException exception) when (_closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new ConversationUnreachableException("The silo that has the conversation is stopping.", exception);
            }
        }
    }

    /// <summary>Ends when no turn runs.</summary>
    public Task WhenIdleAsync()
    {
        lock (_lock)
            return _turns == 0 ? Task.CompletedTask : _busy!.Task;
    }

    /// <summary>Lets no turn in any more, and waits for the end of those that run.</summary>
    /// <param name="cancellationToken">Ends them.</param>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            _isClosed = true;
        await WhenIdleAsync().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _closing.CancelAsync().ConfigureAwait(false);
        await WhenIdleAsync().ConfigureAwait(false);
    }
}
