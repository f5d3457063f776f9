namespace KvTiers.Inference.Model;

/// <summary>Says how likely the model held one token at its place, and which others it held likeliest there.</summary>
/// <param name="Id">The token that stands at this place.</param>
/// <param name="LogProb">Natural logarithm of its probability, from the model's logits before temperature and penalties.</param>
/// <param name="Top">The likeliest tokens in falling order, equals by rising id; as many as were asked for.</param>
public sealed record TokenLogProb(int Id, double LogProb, IReadOnlyList<TokenAlternative> Top)
{
    /// <summary>Its place among all tokens: 1 = none is likelier.</summary>
    public int Rank { get; init; }
}
