namespace KvTiers.Silo.Http;

/// <summary>One turn's stay past the <see cref="TurnGate"/>.</summary>
internal sealed class TurnScope(TurnGate gate, Caller caller, CancellationTokenSource end) : IDisposable
{
    private int _places = 1;

    /// <summary>Cancelled when the turn must end.</summary>
    public CancellationToken Token => end.Token;

    /// <summary>Takes as many places as the turn asks for answers. To be called once, before anything is encoded.</summary>
    /// <param name="answers">Prompts times choices, or beams.</param>
    /// <param name="param">The request's field that asks for more than one.</param>
    /// <exception cref="ApiException">400: there can never be so many; 429: not now.</exception>
    public void Widen(long answers, string param)
    {
        gate.Widen(caller, _places, answers, param);
        _places = Math.Max(_places, (int)answers);
    }

    /// <summary>Leaves.</summary>
    public void Dispose()
    {
        end.Dispose();
        gate.Leave(caller, _places);
    }
}
