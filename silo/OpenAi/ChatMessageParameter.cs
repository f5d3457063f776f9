using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>One message of a chat request.</summary>
internal sealed record ChatMessageParameter
{
    /// <summary>Who speaks.</summary>
    public string? Role { get; init; }

    /// <summary>What is said: a string, or a list of text parts.</summary>
    public JsonElement? Content { get; init; }
}
