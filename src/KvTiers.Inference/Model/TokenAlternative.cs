namespace KvTiers.Inference.Model;

/// <summary>A token that could have stood at a place.</summary>
/// <param name="Id">Token id.</param>
/// <param name="LogProb">Natural logarithm of its probability.</param>
public readonly record struct TokenAlternative(int Id, double LogProb);
