using KvTiers.Conversations;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Conversations;

/// <summary>A whole turn, where its answer was not asked for as events.</summary>
internal sealed record TurnAnswer
{
    /// <summary>The conversation's version with this turn.</summary>
    public required long Version { get; init; }

    /// <summary>The answer.</summary>
    public required MessageView Message { get; init; }

    /// <summary>The answer's text.</summary>
    public required string Text { get; init; }

    /// <summary><c>stop</c> or <c>length</c>.</summary>
    public required string FinishReason { get; init; }

    /// <summary>What the turn's history changed in the log; null = it only added to it.</summary>
    public EditReceipt? Edit { get; init; }

    /// <summary>What the turn took.</summary>
    public required TurnUsage Usage { get; init; }

    /// <summary>What the cache did.</summary>
    public required KvTiersInfo Kvtiers { get; init; }
}
