using KvTiers.Cli.Load;

namespace KvTiers.Bench.Serving;

/// <summary>What a number of conversations at one time saw, with their prefixes in one place.</summary>
/// <param name="Place">Where the prefixes were.</param>
/// <param name="Conversations">Answers under way at one time.</param>
/// <param name="PrefixTokens">Tokens of a prefix, median.</param>
/// <param name="Answers">All answers.</param>
/// <param name="Seconds">From the first question to the last answer's end.</param>
/// <param name="FullCollections">The server's gen-2 collections in that time.</param>
internal sealed record ServingRow(
    PrefixPlace Place, int Conversations, int PrefixTokens, IReadOnlyList<ServedAnswer> Answers, double Seconds, int FullCollections)
{
    /// <summary>Time to the first token, in milliseconds.</summary>
    public Percentiles Ttft => Percentiles.Of(Answers.Select(answer => (TimeSpan?)answer.Ttft))!;

    /// <summary>Time a token after the first, in milliseconds.</summary>
    public Percentiles Tpot => Percentiles.Of(Answers.Select(answer => answer.Tpot))!;

    /// <summary>Tokens generated a second, of all conversations together.</summary>
    public double TokensPerSecond => Answers.Sum(answer => answer.CompletionTokens) / Seconds;

    /// <summary>Tokens of a prompt, median.</summary>
    public int PromptTokens => Answers.Select(answer => answer.PromptTokens).Order().ElementAt(Answers.Count / 2);
}
