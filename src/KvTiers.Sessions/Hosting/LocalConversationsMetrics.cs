using System.Diagnostics.Metrics;

namespace KvTiers.Sessions.Hosting;

/// <summary>The meter <c>KvTiers.Sessions</c>. No label names a tenant or a conversation.</summary>
internal sealed class LocalConversationsMetrics : IDisposable
{
    private readonly Meter _meter = new("KvTiers.Sessions");

    public LocalConversationsMetrics(Func<LocalConversationsSnapshot> snapshot)
    {
        _meter.CreateObservableGauge("kvtiers.sessions.active", () => snapshot().Active, "{conversation}", "Conversations in memory.");
        _meter.CreateObservableGauge("kvtiers.sessions.busy", () => snapshot().Busy, "{conversation}", "Conversations with a call under way or waiting.");
        _meter.CreateObservableGauge("kvtiers.sessions.idle_leased_blocks", () => snapshot().IdleLeasedBlocks, "{block}", "Hot blocks held between turns; a shared one counts for each.");
        _meter.CreateObservableCounter("kvtiers.sessions.activations", () => snapshot().Activations, "{conversation}", "Conversations taken into memory.");
        _meter.CreateObservableCounter("kvtiers.sessions.conflicts", () => snapshot().Conflicts, "{call}", "Calls refused because someone else changed the conversation.");
        _meter.CreateObservableCounter("kvtiers.sessions.preloads", () => snapshot().Preloads, "{conversation}", "Conversations that were expected back and looked for in colder tiers.");
        _meter.CreateObservableCounter("kvtiers.sessions.preloaded_tokens", () => snapshot().PreloadedTokens, "{token}", "Tokens whose blocks that loaded.");
        _meter.CreateObservableGauge("kvtiers.sessions.erasures_owed", () => snapshot().ErasuresOwed, "{erasure}", "Deletions, and paths given up, of which a tier may still hold blocks.");
        _meter.CreateObservableCounter("kvtiers.sessions.erasures_given_up", () => snapshot().ErasuresGivenUp, "{erasure}", "Erasures that are not tried any more.");
        _meter.CreateObservableCounter("kvtiers.sessions.background_faults", () => snapshot().BackgroundFaults, "{piece}", "Work on colder tiers beside the calls that failed or took too long.");
        _meter.CreateObservableCounter("kvtiers.sessions.background_refused", () => snapshot().BackgroundRefused, "{piece}", "Work on colder tiers beside the calls that there was no room for.");
    }

    public void Dispose() => _meter.Dispose();
}
