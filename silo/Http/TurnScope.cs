namespace KvTiers.Silo.Http;

/// <summary>One turn's stay past the <see cref="TurnGate"/>.</summary>
internal sealed class TurnScope(CancellationTokenSource end, Action leave) : IDisposable
{
    /// <summary>Cancelled when the turn must end.</summary>
    public CancellationToken Token => end.Token;

    /// <summary>Leaves.</summary>
    public void Dispose()
    {
        end.Dispose();
        leave();
    }
}
