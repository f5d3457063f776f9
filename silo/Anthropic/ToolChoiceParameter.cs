namespace KvTiers.Silo.Anthropic;

/// <summary>Whether an answer calls tools.</summary>
internal sealed record ToolChoiceParameter
{
    /// <summary><c>auto</c>, <c>any</c>, <c>tool</c> or <c>none</c>.</summary>
    public string? Type { get; init; }

    /// <summary>With <c>tool</c>: which.</summary>
    public string? Name { get; init; }

    /// <summary>Whether the answer makes one call at most.</summary>
    public bool? DisableParallelToolUse { get; init; }
}
