namespace KvTiers.Conversations;

/// <summary>Makes one token likelier or less likely.</summary>
/// <param name="Id">Token id.</param>
/// <param name="Bias">Added to its logit; −100 all but bars it, 100 all but forces it.</param>
public readonly record struct LogitBias(int Id, double Bias);
