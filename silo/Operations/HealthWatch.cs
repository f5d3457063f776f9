using KvTiers.Silo.Models;

namespace KvTiers.Silo.Operations;

/// <summary>Logs what <c>/readyz</c> says: each cause once when it comes, and once when it is over.</summary>
internal sealed partial class HealthWatch(ModelHost host, TimeProvider time, ILogger<HealthWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // What comes and goes more often, such as a tier that does not quite keep pace, is one episode.
    private const int GoneFor = 10;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var known = new Dictionary<string, int>();
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Look(known);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private void Look(Dictionary<string, int> known)
    {
        IReadOnlyList<string> reasons = host.DegradedReasons;
        foreach (string reason in reasons)
        {
            if (!known.ContainsKey(reason)) Degraded(logger, reason);
            known[reason] = 0;
        }

        foreach (string reason in known.Keys.Except(reasons).ToArray())
        {
            if (++known[reason] < GoneFor) continue;
            known.Remove(reason);
            Whole(logger, reason);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Degraded: {Reason}")]
    private static partial void Degraded(ILogger logger, string reason);

    [LoggerMessage(2, LogLevel.Information, "No longer: {Reason}")]
    private static partial void Whole(ILogger logger, string reason);
}
