using System.Globalization;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.OpenAi;

/// <summary>How likely the model held a token at one place of the prompt, as vLLM writes it.</summary>
/// <param name="Logprob">Natural logarithm of its probability.</param>
/// <param name="Rank">Its place among all tokens, from 1.</param>
/// <param name="DecodedToken">Its text.</param>
internal sealed record PromptLogprob(double Logprob, int Rank, string DecodedToken)
{
    /// <summary>[prompt tokens]: by token id the one that stands there and the likeliest; null for the first, which follows nothing.</summary>
    /// <param name="prompts">Those of each prompt.</param>
    /// <param name="prompt">Which one.</param>
    /// <param name="top">How many of the likeliest; null = not asked for.</param>
    /// <param name="tokenizer">Gives the tokens' texts.</param>
    public static IReadOnlyList<IReadOnlyDictionary<string, PromptLogprob>?>? Of(
        IReadOnlyList<IReadOnlyList<TokenLogProb?>?> prompts, int prompt, int? top, Tokenizer tokenizer) =>
        top is { } count ? [.. (prompts[prompt] ?? []).Select(token => token is null ? null : Of(token, count, tokenizer))] : null;

    private static Dictionary<string, PromptLogprob> Of(TokenLogProb token, int top, Tokenizer tokenizer)
    {
        var all = new Dictionary<string, PromptLogprob> { [Key(token.Id)] = Of(token.Id, token.LogProb, token.Rank, tokenizer) };
        for (int i = 0; i < Math.Min(top, token.Top.Count); i++) all.TryAdd(Key(token.Top[i].Id), Of(token.Top[i].Id, token.Top[i].LogProb, i + 1, tokenizer));
        return all;
    }

    private static PromptLogprob Of(int id, double logProb, int rank, Tokenizer tokenizer) => new(TokenText.Finite(logProb), rank, TokenText.Of(id, tokenizer));

    private static string Key(int id) => id.ToString(CultureInfo.InvariantCulture);
}
