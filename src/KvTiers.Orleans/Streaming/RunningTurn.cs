using KvTiers.Conversations;

namespace KvTiers.Orleans.Streaming;

/// <summary>A turn that runs on this silo, as its batches. One at a time is asked for; the turn may be ended at any time, by whoever does it first.</summary>
internal sealed class RunningTurn : IAsyncDisposable
{
    private readonly CancellationTokenSource _leaving;
    private readonly IAsyncEnumerator<TurnBatch> _batches;
    private Task<bool> _next = Task.FromResult(true);
    private Task? _ending;

    public RunningTurn(IAsyncEnumerable<TurnEvent> turn, TimeProvider time, CancellationToken cancellationToken)
    {
        _leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _batches = TurnBatches.ReadAsync(turn, time, _leaving.Token).GetAsyncEnumerator(CancellationToken.None);
    }

    /// <summary>The batch that was moved to.</summary>
    public TurnBatch Current => _batches.Current;

    /// <summary>Waits for the next batch; false when there is none.</summary>
    public Task<bool> MoveNextAsync() => _next = _batches.MoveNextAsync().AsTask();

    /// <summary>Ends the turn, if it has not ended, and waits for that.</summary>
    public ValueTask DisposeAsync() => new(_ending ??= EndAsync());

    private async Task EndAsync()
    {
        await _leaving.CancelAsync().ConfigureAwait(false);
        await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _batches.DisposeAsync().ConfigureAwait(false);
        _leaving.Dispose();
    }
}
