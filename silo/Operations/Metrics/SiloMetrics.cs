using System.Diagnostics.Metrics;
using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Operations.Metrics;

/// <summary>What the server itself counts. Meter <c>KvTiers.Silo</c>. No label names a tenant, a conversation or a key.</summary>
internal sealed class SiloMetrics : IDisposable
{
    private readonly Meter _meter = new("KvTiers.Silo");
    private readonly Counter<long> _requests;
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _generatedTokens;
    private readonly Counter<long> _invalidatedTokens;
    private readonly Counter<long> _cuts;
    private readonly Counter<long> _droppedTokens;
    private readonly Counter<long> _summaryTokens;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _turnDuration;

    /// <summary>Instruments at zero.</summary>
    public SiloMetrics(TurnGate gate, Refusals refusals)
    {
        _requests = _meter.CreateCounter<long>("kvtiers.silo.requests", "{request}", "HTTP requests answered, by route and status.");
        _promptTokens = _meter.CreateCounter<long>("kvtiers.silo.prompt_tokens", "{token}", "Prompt tokens of answered turns, by where they came from.");
        _generatedTokens = _meter.CreateCounter<long>("kvtiers.silo.generated_tokens", "{token}", "Tokens generated in answered turns.");
        _invalidatedTokens = _meter.CreateCounter<long>("kvtiers.silo.invalidated_tokens", "{token}", "Tokens that changed histories cut off.");
        _cuts = _meter.CreateCounter<long>("kvtiers.silo.context_cuts", "{cut}", "Prompts that messages were left out of because the context was full, by what was done.");
        _droppedTokens = _meter.CreateCounter<long>("kvtiers.silo.context_dropped_tokens", "{token}", "Tokens of the messages left out.");
        _summaryTokens = _meter.CreateCounter<long>("kvtiers.silo.summary_tokens", "{token}", "Tokens that summaries of messages left out took, by where they came from.");
        _timeToFirstToken = _meter.CreateHistogram<double>("kvtiers.silo.ttft", "s", "Time from a turn's start to its first token.");
        _turnDuration = _meter.CreateHistogram<double>("kvtiers.silo.turn", "s", "Time from a turn's start to its end.");
        _meter.CreateObservableGauge("kvtiers.silo.turns", () => gate.Running, "{turn}", "Answers computed or waiting now; a turn counts as many as it has prompts times choices.");
        _meter.CreateObservableCounter("kvtiers.silo.turns_refused", () => Enum.GetValues<RefusalReason>().Select(reason => new Measurement<long>(refusals.Of(reason), new KeyValuePair<string, object?>("reason", WordOf(reason)))), "{turn}", "Requests refused with 429, by reason.");
    }

    /// <summary>A request was answered.</summary>
    public void RequestAnswered(string method, string route, int status) =>
        _requests.Add(1, new("method", method), new("route", route), new("status", status));

    /// <summary>A turn was answered.</summary>
    public void TurnAnswered(TurnUsage usage)
    {
        _promptTokens.Add(usage.Cached.Hot, new KeyValuePair<string, object?>("source", "hot"));
        _promptTokens.Add(usage.Cached.Ram, new KeyValuePair<string, object?>("source", "ram"));
        _promptTokens.Add(usage.Cached.Disk, new KeyValuePair<string, object?>("source", "disk"));
        _promptTokens.Add(usage.Cached.Redis, new KeyValuePair<string, object?>("source", "redis"));
        _promptTokens.Add(usage.ComputedTokens, new KeyValuePair<string, object?>("source", "computed"));
        _generatedTokens.Add(usage.CompletionTokens);
        _invalidatedTokens.Add(usage.InvalidatedTokens);
        _timeToFirstToken.Record(usage.TtftMs / 1000);
        _turnDuration.Record(usage.TotalMs / 1000);
        if (usage.Cut is { } cut) WasCut(cut);
    }

    private void WasCut(ContextCut cut)
    {
        _cuts.Add(1, new KeyValuePair<string, object?>("policy", JsonNamingPolicy.SnakeCaseLower.ConvertName(cut.Policy.ToString())));
        _droppedTokens.Add(cut.TokensDropped);
        if (cut.Summary is not { } summary) return;
        _summaryTokens.Add(summary.CachedTokens, new KeyValuePair<string, object?>("source", "cached"));
        _summaryTokens.Add(summary.PromptTokens - summary.CachedTokens, new KeyValuePair<string, object?>("source", "computed"));
        _summaryTokens.Add(summary.CompletionTokens, new KeyValuePair<string, object?>("source", "generated"));
    }

    private static string WordOf(RefusalReason reason) => reason switch
    {
        RefusalReason.ConcurrentTurns => "concurrent_turns",
        RefusalReason.Requests => "requests",
        RefusalReason.Tokens => "tokens",
        _ => "share",
    };

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
