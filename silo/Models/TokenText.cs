using KvTiers.Inference.Tokens;

namespace KvTiers.Silo.Models;

/// <summary>A token and its log probability as OpenAI writes them.</summary>
internal static class TokenText
{
    // JSON has no infinity; OpenAI writes this for what cannot come.
    private const double Least = -9999;

    /// <summary>A number that JSON can hold.</summary>
    public static double Finite(double logProb) => Math.Max(logProb, Least);

    /// <summary>A token's own text; for a part of a character, its bytes as OpenAI shows them: <c>bytes:\xe2\x82</c>.</summary>
    public static string Of(int id, Tokenizer tokenizer)
    {
        string text = tokenizer.Decode([id], skipSpecial: false);
        if (!text.Contains('\uFFFD', StringComparison.Ordinal)) return text;
        return "bytes:" + string.Concat(tokenizer.TokenBytes(id).ToArray().Select(value => $"\\x{value:x2}"));
    }
}
