using KvTiers.Orleans.Hosting;
using KvTiers.Sessions.Hosting;
using Microsoft.Extensions.Logging;

namespace KvTiers.Orleans.Placement;

/// <summary>Answers what this silo holds, worked out at most once in each <see cref="OrleansConversationsOptions.PublishEvery"/>, however many silos ask.</summary>
internal sealed class SiloReports(
    GrainId id, global::Orleans.Runtime.Silo silo, SiloConversations conversations, OrleansConversationsOptions options, TimeProvider time, ILoggerFactory loggers)
    : GrainService(id, silo, loggers), ISiloReports
{
    private BlockSummary? _blocks;
    private long _version = DateTime.UtcNow.Ticks;
    private long _workedOutAt;

    public Task<SiloReport?> ReportAsync(long knownVersion) => Task.FromResult(Report(knownVersion));

    private SiloReport? Report(long knownVersion)
    {
        if (conversations.Local is not { } local)
            return null;
        try
        {
            WorkOut(local);
        }
        catch (ObjectDisposedException)
        {
            return null; // The model was taken down.
        }

        return new() { Version = _version, Load = local.Snapshot().Active, Blocks = knownVersion == _version ? null : _blocks!.Bits.ToArray() };
    }

    private void WorkOut(LocalConversations local)
    {
        if (_blocks is not null && time.GetElapsedTime(_workedOutAt) < options.PublishEvery)
            return;
        BlockSummary blocks = BlockSummary.Of(local.Services.Engine.Cache.HotHashes(BlockSummary.CapacityOf(options.SummaryBytes)), options.SummaryBytes);
        _workedOutAt = time.GetTimestamp();
        if (!blocks.SameAs(_blocks))
            (_blocks, _version) = (blocks, _version + 1);
    }
}
