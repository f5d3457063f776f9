using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Http;

/// <summary>Lets turns in: not while the server stops, and no more at one time than it is set to take.</summary>
internal sealed class TurnGate(SiloOptions options, StopSignal stop)
{
    private int _running;
    private long _refused;

    /// <summary>Turns computed or waiting now.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Turns refused because the server was busy.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Lets a turn in; it ends when the caller goes, or when the grace period of a stop is over.</summary>
    /// <exception cref="ApiException">503: the server stops; 429: it is busy.</exception>
    public TurnScope Enter(HttpContext context)
    {
        if (stop.IsStopping) throw ApiException.Unavailable("The server is shutting down.", "shutting_down");
        if (Interlocked.Increment(ref _running) > options.MaxTurns)
        {
            Interlocked.Decrement(ref _running);
            Interlocked.Increment(ref _refused);
            throw ApiException.Busy($"The server already works on {options.MaxTurns} turns, and takes no more for now (KvTiers:MaxTurns). Try again soon.");
        }

        return new TurnScope(CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stop.EndTurns), Leave);
    }

    private void Leave() => Interlocked.Decrement(ref _running);
}
