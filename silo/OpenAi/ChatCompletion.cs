using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>Answer of <c>POST /v1/chat/completions</c>.</summary>
internal sealed record ChatCompletion
{
    /// <summary>Id of this answer.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>chat.completion</c>.</summary>
    public string Object => "chat.completion";

    /// <summary>Seconds since 1970.</summary>
    public required long Created { get; init; }

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Changes when the model or its arithmetic changes.</summary>
    public required string SystemFingerprint { get; init; }

    /// <summary>The answers, by index.</summary>
    public required IReadOnlyList<ChatChoice> Choices { get; init; }

    /// <summary>[prompt tokens]: likely tokens by id; null for the first. Null = not asked for.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, PromptLogprob>?>? PromptLogprobs { get; init; }

    /// <summary>Tokens in and out.</summary>
    public required Usage Usage { get; init; }

    /// <summary>What the cache did.</summary>
    public required KvTiersInfo Kvtiers { get; init; }
}
