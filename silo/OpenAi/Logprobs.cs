using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>Log probabilities as OpenAI writes them.</summary>
internal static class Logprobs
{
    /// <summary>A chat answer's tokens; those that come without log probabilities are left out.</summary>
    public static IEnumerable<ChatTokenLogprob> Chat(IEnumerable<CertainToken> tokens, Tokenizer tokenizer) =>
        tokens.Select(certain => certain.Token.LogProb).OfType<TokenLogProbView>().Select(logProb => Chat(logProb, tokenizer));

    /// <summary>A chat answer's token.</summary>
    public static ChatTokenLogprob Chat(TokenLogProbView token, Tokenizer tokenizer) =>
        Chat(token.TokenId, token.LogProb, tokenizer) with { TopLogprobs = [.. token.Top.Select(other => Chat(other.TokenId, other.LogProb, tokenizer))] };

    private static ChatTokenLogprob Chat(int id, double logProb, Tokenizer tokenizer)
    {
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
        int[] values = new int[bytes.Length];
        for (int i = 0; i < bytes.Length; i++) values[i] = bytes[i];
        return new ChatTokenLogprob(TokenText.Of(id, tokenizer), TokenText.Finite(logProb), values);
    }
}
