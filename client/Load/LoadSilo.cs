namespace KvTiers.Cli.Load;

/// <summary>What one silo, or all together, did.</summary>
/// <param name="Silo">Its address, or "all".</param>
/// <param name="Turns">Turns answered.</param>
/// <param name="PromptTokens">Tokens of their prompts.</param>
/// <param name="Cached">Prompt tokens found, by tier.</param>
/// <param name="CompletionTokens">Tokens generated.</param>
internal sealed record LoadSilo(string Silo, int Turns, long PromptTokens, IReadOnlyDictionary<string, long> Cached, long CompletionTokens)
{
    /// <summary>Prompt tokens found, of all.</summary>
    public double HitRate => PromptTokens == 0 ? 0 : (double)Cached.Values.Sum() / PromptTokens;

    public static LoadSilo Of(string name, IReadOnlyCollection<LoadTurn> turns)
    {
        long Sum(Func<LoadTurn, int?> of) => turns.Sum(turn => (long)(of(turn) ?? 0));
        var cached = new Dictionary<string, long>
        {
            ["hot"] = Sum(turn => turn.Usage?.Cached.Hot),
            ["ram"] = Sum(turn => turn.Usage?.Cached.Ram),
            ["disk"] = Sum(turn => turn.Usage?.Cached.Disk),
            ["redis"] = Sum(turn => turn.Usage?.Cached.Redis),
        };
        return new LoadSilo(name, turns.Count, Sum(turn => turn.Usage?.PromptTokens), cached, Sum(turn => turn.Usage?.CompletionTokens));
    }
}
