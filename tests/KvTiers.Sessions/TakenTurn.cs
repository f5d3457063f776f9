using KvTiers.Conversations;

namespace KvTiers.Sessions.Tests;

/// <summary>A turn that was read to its end.</summary>
internal sealed record TakenTurn(TurnStarted Started, IReadOnlyList<TurnToken> Tokens, TurnCompleted Completed)
{
    public int[] Ids => [.. Tokens.Select(token => token.TokenId)];

    public string Text => string.Concat(Tokens.Select(token => token.Text));

    public TurnUsage Usage => Completed.Usage;

    public int Cached => Completed.Usage.Cached.Total;

    public static async Task<TakenTurn> ReadAsync(IAsyncEnumerable<TurnEvent> events)
    {
        List<TurnEvent> all = [];
        await foreach (TurnEvent one in events)
            all.Add(one);
        return new(Assert.IsType<TurnStarted>(all[0]), [.. all[1..^1].Select(Assert.IsType<TurnToken>)], Assert.IsType<TurnCompleted>(all[^1]));
    }
}
