using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>Answer of <c>POST /v1/embeddings</c>.</summary>
internal sealed record EmbeddingList
{
    /// <summary>Always <c>list</c>.</summary>
    public string Object => "list";

    /// <summary>The vectors, in the order of the inputs.</summary>
    public required IReadOnlyList<Embedding> Data { get; init; }

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Tokens in.</summary>
    public required EmbeddingUsage Usage { get; init; }

    /// <summary>What the cache did.</summary>
    public required KvTiersInfo Kvtiers { get; init; }
}
