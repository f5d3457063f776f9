namespace KvTiers.Client.Http;

/// <summary>Cancels a request when the server is silent for too long, or when the caller wants it.</summary>
internal sealed class SilenceTimer : IDisposable
{
    private readonly TimeSpan _limit;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _silence;
    private readonly CancellationTokenSource _either;

    public SilenceTimer(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        _limit = limit;
        _caller = caller;
        _silence = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_silence.Token, caller);
    }

    public CancellationToken Token => _either.Token;

    /// <summary>Whether it was the silence that cancelled, and not the caller.</summary>
    public bool IsExceeded => _silence.IsCancellationRequested && !_caller.IsCancellationRequested;

    public void Restart() => _silence.CancelAfter(_limit);

    /// <summary>The server has said something; until <see cref="Restart"/> nobody waits for it.</summary>
    public void Stop() => _silence.CancelAfter(Timeout.InfiniteTimeSpan);

    public TimeoutException Exceeded() => new($"The server sent nothing for {_limit.TotalSeconds:0.###} s.");

    public void Dispose()
    {
        _either.Dispose();
        _silence.Dispose();
    }
}
