using KvTiers.Orleans.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KvTiers.Orleans.Placement;

/// <summary>Every round, asks all silos for what they hold, this one too. One that does not answer is asked again in the next: what was known stays known.</summary>
internal sealed partial class ReportRounds(
    SiloConversations silo,
    SiloReportsClient reports,
    SiloView view,
    IClusterMembershipService membership,
    OrleansConversationsOptions options,
    TimeProvider time,
    ILogger<ReportRounds> logger) : BackgroundService
{
    private bool _isBroken;

    /// <summary>Rounds that all silos answered.</summary>
    internal long Rounds { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await silo.LocalAsync(stoppingToken).ConfigureAwait(false);
            using var round = new PeriodicTimer(options.PublishEvery, time);
            do
                await AskAllAsync().ConfigureAwait(false);
            while (await round.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops.
        }
    }

    private async Task AskAllAsync()
    {
        SiloAddress[] silos = [.. membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)];
        view.Retain([.. silos.Select(address => address.ToParsableString())]);
        bool isChoice = silos.Length > 1; // Otherwise nobody needs to know.
        string?[] faults = await Task.WhenAll(isChoice ? silos.Select(AskAsync) : []).ConfigureAwait(false);
        string? reason = Array.Find(faults, fault => fault is not null);
        if (reason is null)
            Rounds++;
        else if (!_isBroken)
            Broken(logger, reason);
        _isBroken = reason is not null;
    }

    // Why it did not answer.
    private async Task<string?> AskAsync(SiloAddress address)
    {
        string name = address.ToParsableString();
        try
        {
            if (await reports.ReportAsync(address, view.VersionOf(name)).ConfigureAwait(false) is { } report)
                view.Take(name, report);
            return null;
        }
        catch (Exception fault) when (fault is OrleansException or TimeoutException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            return fault.Message;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Placement goes by what was known of a silo until it answers again: {Reason}")]
    private static partial void Broken(ILogger logger, string reason);
}
