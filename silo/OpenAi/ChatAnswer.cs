using System.Text.Json.Serialization;

namespace KvTiers.Silo.OpenAi;

/// <summary>A generated message.</summary>
internal sealed record ChatAnswer
{
    /// <summary>Always <c>assistant</c>.</summary>
    public string Role => "assistant";

    /// <summary>Its text.</summary>
    public required string Content { get; init; }

    /// <summary>Always null: this server's models do not refuse in a field of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Refusal => null;
}
