using System.Text.Json.Serialization;

namespace KvTiers.Silo.Http;

/// <summary>What went wrong, in OpenAI's schema.</summary>
internal sealed record ApiError
{
    /// <summary>What went wrong, for a person.</summary>
    public required string Message { get; init; }

    /// <summary>The kind: <c>invalid_request_error</c>, <c>server_error</c>, …</summary>
    public required string Type { get; init; }

    /// <summary>The request's parameter that is to blame; null = none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Param { get; init; }

    /// <summary>A name for the case, for programs; null = it has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Code { get; init; }
}
