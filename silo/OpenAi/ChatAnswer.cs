using System.Text.Json.Serialization;

namespace KvTiers.Silo.OpenAi;

/// <summary>A generated message.</summary>
/// <param name="Content">Its text.</param>
internal sealed record ChatAnswer(string Content)
{
    /// <summary>Always <c>assistant</c>.</summary>
    public string Role => "assistant";

    /// <summary>Always null: this server's models do not refuse in a field of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Refusal => null;
}
