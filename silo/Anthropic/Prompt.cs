using KvTiers.Conversations;

namespace KvTiers.Silo.Anthropic;

/// <summary>A checked prompt.</summary>
/// <param name="Messages">The chat, the system message first where there is one; of two neighbours no two have the same role.</param>
/// <param name="Breakpoints">Where it is to be kept up to, ascending.</param>
/// <param name="Tools">The functions that the answer may call; null = none.</param>
internal sealed record Prompt(IReadOnlyList<ChatMessage> Messages, IReadOnlyList<CacheBreakpoint> Breakpoints, ToolUse? Tools);
