using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>Answer of <c>POST /v1/completions</c>, and one piece of it when streamed: they have one shape.</summary>
internal sealed record TextCompletion
{
    /// <summary>Id of this answer, the same in all pieces.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>text_completion</c>.</summary>
    public string Object => "text_completion";

    /// <summary>Seconds since 1970, the same in all pieces.</summary>
    public required long Created { get; init; }

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Changes when the model or its arithmetic changes.</summary>
    public required string SystemFingerprint { get; init; }

    /// <summary>The answers: n for the first prompt, n for the second, ….</summary>
    public required IReadOnlyList<TextChoice> Choices { get; init; }

    /// <summary>Tokens in and out; in a stream, in the last piece when it was asked for.</summary>
    public Usage? Usage { get; init; }

    /// <summary>What the cache did; in a stream, in the last piece.</summary>
    public KvTiersInfo? Kvtiers { get; init; }
}
