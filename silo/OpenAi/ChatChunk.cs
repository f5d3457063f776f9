using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>One piece of a streamed chat completion.</summary>
internal sealed record ChatChunk
{
    /// <summary>Id of the answer, the same in all its pieces.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>chat.completion.chunk</c>.</summary>
    public string Object => "chat.completion.chunk";

    /// <summary>Seconds since 1970, the same in all pieces.</summary>
    public required long Created { get; init; }

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Changes when the model or its arithmetic changes.</summary>
    public required string SystemFingerprint { get; init; }

    /// <summary>One choice; none in the piece that carries the usage.</summary>
    public required IReadOnlyList<ChatChunkChoice> Choices { get; init; }

    /// <summary>Tokens in and out, in the last piece when it was asked for.</summary>
    public Usage? Usage { get; init; }

    /// <summary>What the cache did, in the last piece.</summary>
    public KvTiersInfo? Kvtiers { get; init; }
}
