using System.Text.Json.Serialization;

namespace KvTiers.Silo.Anthropic;

/// <summary>What the end of a stream adds to the message.</summary>
/// <param name="StopReason">Why the answer ended.</param>
/// <param name="StopSequence">The stop sequence that ended it; null = none did.</param>
internal sealed record MessageDelta(string StopReason, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? StopSequence)
{
    /// <summary>Always null: this server's models do not refuse in a field of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? StopDetails => null;

    /// <summary>Always null: no code runs in the server.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public object? Container => null;
}
