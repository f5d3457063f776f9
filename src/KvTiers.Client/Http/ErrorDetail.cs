namespace KvTiers.Client.Http;

/// <summary>What went wrong, as the server says it.</summary>
internal sealed record ErrorDetail
{
    public string? Message { get; init; }

    public string? Type { get; init; }

    public string? Param { get; init; }

    public string? Code { get; init; }
}
