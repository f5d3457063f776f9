using KvTiers.Inference.Model;

namespace KvTiers.Inference.Scheduling;

/// <summary>One token of a running generation.</summary>
/// <param name="Choice">Which continuation it belongs to, from 0.</param>
/// <param name="Id">Token id.</param>
/// <param name="Text">Text that became certain with this token; "" while a character, or what may become a stop string, is incomplete.</param>
/// <param name="LogProb">Its log-probability, when asked for.</param>
public readonly record struct GeneratedToken(int Choice, int Id, string Text, TokenLogProb? LogProb);
