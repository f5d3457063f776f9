namespace KvTiers.Silo.OpenAi;

/// <summary>One tool of a chat request.</summary>
internal sealed record ToolParameter
{
    /// <summary><c>function</c>.</summary>
    public string? Type { get; init; }

    /// <summary>The function.</summary>
    public FunctionParameter? Function { get; init; }
}
