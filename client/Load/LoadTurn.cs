using KvTiers.Conversations;

namespace KvTiers.Cli.Load;

/// <summary>What became of one turn.</summary>
internal sealed record LoadTurn
{
    /// <summary>Which conversation, from 0.</summary>
    public required int Conversation { get; init; }

    /// <summary>Which turn, from 0.</summary>
    public required int Turn { get; init; }

    /// <summary>Whether it edited an earlier message.</summary>
    public required bool IsEdit { get; init; }

    /// <summary>Which silo answered, from 0.</summary>
    public required int Silo { get; init; }

    /// <summary>When it was first sent, since the run's start.</summary>
    public required TimeSpan SentAt { get; init; }

    /// <summary>From the first sending to the first token; null when the answer came only from what was stored.</summary>
    public TimeSpan? Ttft { get; init; }

    /// <summary>From the first sending to the end.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>What it took; null when the answer came only from what was stored.</summary>
    public TurnUsage? Usage { get; init; }

    /// <summary>The answer; null when the turn failed.</summary>
    public string? Answer { get; init; }

    /// <summary>Whether the acknowledgement was lost, and the answer found stored.</summary>
    public bool WasFoundStored { get; init; }

    /// <summary>Time a token after the first; null without one.</summary>
    public TimeSpan? Tpot => Ttft is { } ttft && Usage is { CompletionTokens: > 1 } usage ? (Duration - ttft) / (usage.CompletionTokens - 1) : null;
}
