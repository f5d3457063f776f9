namespace KvTiers.Silo.OpenAi;

/// <summary>Body of <c>POST /detokenize</c>.</summary>
internal sealed record DetokenizeRequest
{
    /// <summary>Name of the model; absent = the one that is loaded.</summary>
    public string? Model { get; init; }

    /// <summary>Token ids.</summary>
    public IReadOnlyList<int>? Tokens { get; init; }
}
