using System.Text.Json;

namespace KvTiers.Client.Chat;

/// <summary>A chat completion, whole or one piece of a stream.</summary>
internal sealed record ChatPiece
{
    public string? Id { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public long? Created { get; init; }

    public string? Model { get; init; }

    /// <summary>One choice; none in the piece that carries the usage.</summary>
    public IReadOnlyList<ChatPieceChoice>? Choices { get; init; }

    public ChatPieceUsage? Usage { get; init; }

    /// <summary>What the cache did, as the server says it.</summary>
    public JsonElement? Kvtiers { get; init; }
}
