namespace KvTiers.Silo.Anthropic;

/// <summary>A mark in a prompt: what stands before it is to be kept.</summary>
/// <param name="Message">Index of the message that it stands in.</param>
/// <param name="Length">Characters of the message's content before it.</param>
/// <param name="TimeToLive">How long the prefix is kept after each use.</param>
internal sealed record CacheBreakpoint(int Message, int Length, TimeSpan TimeToLive);
