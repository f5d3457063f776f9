namespace KvTiers.Inference.Model;

/// <summary>A mixture of experts: a router scores them for each token, softmax over all, and the best few are computed and summed by their weights.</summary>
/// <param name="Count">Experts.</param>
/// <param name="PerToken">Experts that a token goes to.</param>
/// <param name="Intermediate">Elements of an expert's inner vector.</param>
/// <param name="IsNormalised">The weights of a token's experts are divided by their sum.</param>
public sealed record ExpertsConfig(int Count, int PerToken, int Intermediate, bool IsNormalised);
