using KvTiers.Conversations;
using KvTiers.Inference.Tokens;

namespace KvTiers.Silo.OpenAi;

/// <summary>Log probabilities as OpenAI writes them.</summary>
internal static class Logprobs
{
    // JSON has no infinity; OpenAI writes this for what cannot come.
    private const double Least = -9999;

    /// <summary>A chat answer's token.</summary>
    public static ChatTokenLogprob Chat(TokenLogProbView token, Tokenizer tokenizer) =>
        Chat(token.TokenId, token.LogProb, tokenizer) with { TopLogprobs = [.. token.Top.Select(other => Chat(other.TokenId, other.LogProb, tokenizer))] };

    /// <summary>A number that JSON can hold.</summary>
    public static double Finite(double logProb) => Math.Max(logProb, Least);

    private static ChatTokenLogprob Chat(int id, double logProb, Tokenizer tokenizer)
    {
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
        int[] values = new int[bytes.Length];
        for (int i = 0; i < bytes.Length; i++) values[i] = bytes[i];
        return new ChatTokenLogprob(TextOf(id, tokenizer), Finite(logProb), values);
    }

    /// <summary>A token's own text; for a part of a character, its bytes as OpenAI shows them: <c>bytes:\xe2\x82</c>.</summary>
    public static string TextOf(int id, Tokenizer tokenizer)
    {
        string text = tokenizer.Decode([id], skipSpecial: false);
        if (!text.Contains('\uFFFD', StringComparison.Ordinal)) return text;
        return "bytes:" + string.Concat(tokenizer.TokenBytes(id).ToArray().Select(value => $"\\x{value:x2}"));
    }
}
