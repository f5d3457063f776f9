using KvTiers.Sessions;

namespace KvTiers.Orleans.Streaming;

/// <summary>A turn under way, as its caller fetches it: fetch 0 begins it, and fetch n is answered with the n-th batch, in whatever order fetches come.</summary>
/// <remarks>
/// The caller keeps two fetches under way, so that what is ready never waits for a fetch. It sends one more than there are batches: that one is answered with
/// <see cref="TurnBatch.Over"/>, and the turn is forgotten without another message. A fetch of which nothing comes for <see cref="LongestWait"/> is answered
/// with <see cref="TurnBatch.None"/>, so that a silo that went away is noticed. A caller that asks for nothing for <see cref="LongestSilence"/> is gone, and
/// the turn ends. Thread-safe.
/// </remarks>
internal sealed class TurnReader(TimeProvider time) : IAsyncDisposable
{
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Fetch> _fetches = [];
    private readonly CancellationTokenSource _leaving = new();
    private Task _running = Task.CompletedTask;
    private bool _isOver;

    /// <summary>Whether the turn has ended, and all but one fetch of it were answered.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock)
                return _isOver;
        }
    }

    /// <summary>Begins the turn. What it throws is the answer of the fetch that met it.</summary>
    public void Begin(Func<IAsyncEnumerable<TurnEvent>> turn) => _running = Task.Run(() => RunAsync(turn));

    /// <summary>The batch of that number, when it is there.</summary>
    public Task<TurnBatch> FetchAsync(int number)
    {
        lock (_lock)
        {
            if (_isOver && !_fetches.ContainsKey(number))
                return Task.FromResult(TurnBatch.Over);
            Fetch fetch = Of(number);
            fetch.Asked.TrySetResult();
            return fetch.Answer.Task;
        }
    }

    /// <summary>Ends the turn, if it has not ended, and waits for that.</summary>
    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        End();
    }

    private async Task RunAsync(Func<IAsyncEnumerable<TurnEvent>> turn)
    {
        IAsyncEnumerator<TurnBatch>? batches = null;
        Task<bool> next = Task.FromResult(true);
        int number = 0;
        try
        {
            batches = TurnBatches.ReadAsync(turn(), time, _leaving.Token, holdStart: false).GetAsyncEnumerator(CancellationToken.None);
            do
            {
                Fetch fetch = await AskedAsync(number).ConfigureAwait(false);
                if (next.IsCompleted)
                    next = batches.MoveNextAsync().AsTask();
                bool isInTime = await IsInTimeAsync(next).ConfigureAwait(false);
                if (isInTime && !await next.ConfigureAwait(false))
                    break;
                Answer(number++, fetch, isInTime ? batches.Current : TurnBatch.None);
            }
            while (true);
        }
        catch (Exception exception)
        {
            // Whoever has left, or has asked for nothing, needs no reason.
            if (!_leaving.IsCancellationRequested && Of(number) is { Asked.Task.IsCompleted: true } fetch)
                fetch.Answer.TrySetException(exception);
        }
        finally
        {
            await _leaving.CancelAsync().ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (batches is not null)
                await batches.DisposeAsync().ConfigureAwait(false);
            End();
        }
    }

    private async Task<Fetch> AskedAsync(int number)
    {
        Fetch fetch = Of(number);
        if (!fetch.Asked.Task.IsCompleted)
            await fetch.Asked.Task.WaitAsync(LongestSilence, time, _leaving.Token).ConfigureAwait(false);
        return fetch;
    }

    private async ValueTask<bool> IsInTimeAsync(Task<bool> next)
    {
        if (!next.IsCompleted)
            await ((Task)next).WaitAsync(LongestWait, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return next.IsCompleted;
    }

    private void Answer(int number, Fetch fetch, TurnBatch batch)
    {
        lock (_lock)
            _fetches.Remove(number);
        fetch.Answer.TrySetResult(batch);
    }

    private Fetch Of(int number)
    {
        lock (_lock)
        {
            if (!_fetches.TryGetValue(number, out Fetch? fetch))
                _fetches[number] = fetch = new();
            return fetch;
        }
    }

    // Those that wait learn that nothing comes.
    private void End()
    {
        lock (_lock)
        {
            _isOver = true;
            foreach (Fetch fetch in _fetches.Values)
                fetch.Answer.TrySetResult(TurnBatch.Over);
        }
    }

    private sealed class Fetch
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<TurnBatch> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
