using KvTiers.Orleans.Hosting;
using KvTiers.Sessions.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KvTiers.Orleans.Placement;

/// <summary>Every round, tells what this silo holds and reads what the others told.</summary>
internal sealed partial class SummaryExchange(
    SiloConversations silo,
    IEnumerable<ISummaryChannel> channels,
    SiloView view,
    ILocalSiloDetails self,
    IClusterMembershipService membership,
    OrleansConversationsOptions options,
    TimeProvider time,
    ILogger<SummaryExchange> logger) : BackgroundService
{
    // A silo that was killed is out of the membership long before.
    private const int RoundsToLive = 30;

    // None: this silo is alone, or its cluster has no place for summaries, and load alone decides.
    private readonly ISummaryChannel? _channel = channels.SingleOrDefault();
    private readonly string _name = self.SiloAddress.ToParsableString();
    private BlockSummary? _told;
    private long _version = DateTime.UtcNow.Ticks;
    private long _sequence = DateTime.UtcNow.Ticks;
    private bool _isBroken;

    /// <summary>Rounds that reached the others.</summary>
    internal long Rounds { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_channel is null || !await OpenedAsync(stoppingToken).ConfigureAwait(false))
            return;
        using var round = new PeriodicTimer(options.PublishEvery, time);
        do
        {
            try
            {
                await TellAsync().ConfigureAwait(false);
                await ReadAsync().ConfigureAwait(false);
                Rounds++;
                _isBroken = false;
            }
            catch (IOException fault)
            {
                if (!_isBroken)
                    Broken(logger, fault.Message);
                _isBroken = true;
            }
            catch (ObjectDisposedException)
            {
                return; // The model was taken down.
            }
        }
        while (await WaitAsync(round, stoppingToken).ConfigureAwait(false));
    }

    private async Task TellAsync()
    {
        LocalConversations local = silo.Local!;
        BlockSummary summary = BlockSummary.Of(local.Services.Engine.Cache.HotHashes(BlockSummary.CapacityOf(options.SummaryBytes)), options.SummaryBytes);
        bool isNew = !summary.SameAs(_told);
        long version = isNew ? _version + 1 : _version;
        var report = new SiloReport(++_sequence, version, local.Snapshot().Active);
        await _channel!.PublishAsync(_name, report, isNew ? summary : null, options.PublishEvery * RoundsToLive).ConfigureAwait(false);
        (_told, _version) = (summary, version);
    }

    private async Task ReadAsync()
    {
        string[] silos = [.. membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress.ToParsableString())];
        foreach ((string other, long version) in view.Take(silos, await _channel!.ReadReportsAsync(silos).ConfigureAwait(false)))
            view.Take(other, version, await _channel!.ReadSummaryAsync(other).ConfigureAwait(false));
    }

    private async Task<bool> OpenedAsync(CancellationToken stoppingToken)
    {
        try
        {
            await silo.LocalAsync(stoppingToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<bool> WaitAsync(PeriodicTimer round, CancellationToken stoppingToken)
    {
        try
        {
            return await round.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Placement goes by what was known of the other silos until they can be reached again: {Reason}")]
    private static partial void Broken(ILogger logger, string reason);
}
