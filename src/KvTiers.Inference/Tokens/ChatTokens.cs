namespace KvTiers.Inference.Tokens;

/// <summary>The token ids of a rendered chat.</summary>
/// <param name="Ids">All ids, the generation prompt's included when it was asked for.</param>
/// <param name="MessageEnds">[messages]: the end of message k's tokens in <paramref name="Ids"/>, ascending. What follows the last end is the generation prompt.</param>
public sealed record ChatTokens(int[] Ids, int[] MessageEnds);
