namespace KvTiers.Silo.Anthropic;

/// <summary>The body of an answer that is an error: <c>{"type": "error", "error": {…}, "request_id": "…"}</c>.</summary>
/// <param name="Error">What went wrong.</param>
/// <param name="RequestId">The request, as the header <c>request-id</c> names it.</param>
internal sealed record AnthropicErrorBody(AnthropicError Error, string RequestId)
{
    /// <summary>Always <c>error</c>.</summary>
    public string Type => "error";
}
