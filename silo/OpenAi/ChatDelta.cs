namespace KvTiers.Silo.OpenAi;

/// <summary>What a piece adds to a message.</summary>
/// <param name="Role">The role, in an answer's first piece only.</param>
/// <param name="Content">Text; null = none.</param>
/// <param name="ToolCalls">What it adds to calls; null = nothing.</param>
internal sealed record ChatDelta(string? Role = null, string? Content = null, IReadOnlyList<ChatToolCall>? ToolCalls = null);
