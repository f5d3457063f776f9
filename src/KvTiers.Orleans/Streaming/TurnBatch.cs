using KvTiers.Conversations;

namespace KvTiers.Orleans.Streaming;

/// <summary>Events of a turn that go in one message, in the order of a turn: its start, tokens, its end, or a part of that.</summary>
[GenerateSerializer]
[Immutable]
[Alias("kvt.turn-batch")]
public sealed class TurnBatch
{
    [Id(0)]
    internal TurnStarted? Started { get; init; }

    [Id(1)]
    internal int[] TokenIds { get; init; } = [];

    [Id(2)]
    internal string[] Texts { get; init; } = [];

    /// <summary>One for each token; null = none was asked for.</summary>
    [Id(3)]
    internal TokenLogProbView?[]? LogProbs { get; init; }

    /// <summary>The last event there is: nothing follows.</summary>
    [Id(4)]
    internal TurnCompleted? Completed { get; init; }

    /// <summary>The events, in their order.</summary>
    public IEnumerable<TurnEvent> Events
    {
        get
        {
            if (Texts.Length != TokenIds.Length || (LogProbs is not null && LogProbs.Length != TokenIds.Length))
                throw new FormatException("A message between silos has tokens without their text, or not with all that was asked for.");
            if (Started is not null)
                yield return Started;
            for (int i = 0; i < TokenIds.Length; i++)
                yield return new TurnToken { TokenId = TokenIds[i], Text = Texts[i], LogProb = LogProbs?[i] };
            if (Completed is not null)
                yield return Completed;
        }
    }

    /// <summary>Takes events as a turn reports them.</summary>
    public static TurnBatch Of(IReadOnlyList<TurnEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        TurnToken[] tokens = [.. events.OfType<TurnToken>()];
        return new()
        {
            Started = events is [TurnStarted started, ..] ? started : null,
            TokenIds = Array.ConvertAll(tokens, token => token.TokenId),
            Texts = Array.ConvertAll(tokens, token => token.Text),
            LogProbs = Array.Exists(tokens, token => token.LogProb is not null) ? Array.ConvertAll(tokens, token => token.LogProb) : null,
            Completed = events is [.., TurnCompleted completed] ? completed : null,
        };
    }
}
