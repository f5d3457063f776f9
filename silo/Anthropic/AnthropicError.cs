namespace KvTiers.Silo.Anthropic;

/// <summary>What went wrong, in Anthropic's schema.</summary>
/// <param name="Type">The kind: <c>invalid_request_error</c>, <c>rate_limit_error</c>, …</param>
/// <param name="Message">What went wrong, for a person.</param>
internal sealed record AnthropicError(string Type, string Message)
{
    /// <summary>Extension: the request's parameter that is to blame; null = none is.</summary>
    public string? Param { get; init; }

    /// <summary>Extension: a name for the case, for programs; null = it has none.</summary>
    public string? Code { get; init; }
}
