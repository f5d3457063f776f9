namespace KvTiers.Silo.OpenAi;

/// <summary>A call in an assistant's message of a chat request.</summary>
internal sealed record ToolCallParameter
{
    /// <summary>Names the call.</summary>
    public string? Id { get; init; }

    /// <summary><c>function</c>.</summary>
    public string? Type { get; init; }

    /// <summary>The function with its arguments.</summary>
    public FunctionParameter? Function { get; init; }
}
