namespace KvTiers.Client.Http;

/// <summary>An answer that is an error: <c>{"error": {…}}</c>, in OpenAI's schema.</summary>
internal sealed record ErrorBody
{
    public ErrorDetail? Error { get; init; }
}
