using System.Text.Json.Serialization;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Anthropic;

/// <summary>Answer of <c>POST /v1/messages</c>; in a stream, what is known of it at the start.</summary>
internal sealed record Message
{
    /// <summary>Id of this answer.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>message</c>.</summary>
    public string Type => "message";

    /// <summary>Always <c>assistant</c>.</summary>
    public string Role => "assistant";

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Its blocks; none when there is no text.</summary>
    public required IReadOnlyList<object> Content { get; init; }

    /// <summary>Why the answer ended; null = it goes on.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? StopReason { get; init; }

    /// <summary>The stop sequence that ended it; null = none did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? StopSequence { get; init; }

    /// <summary>Always null: this server's models do not refuse in a field of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? StopDetails => null;

    /// <summary>Always null: no code runs in the server.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? Container => null;

    /// <summary>Tokens in and out.</summary>
    public required MessageUsage Usage { get; init; }

    /// <summary>What the cache did; in a stream the end has it.</summary>
    public KvTiersInfo? Kvtiers { get; init; }
}
