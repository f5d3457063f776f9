using System.Text.Json;

namespace KvTiers.Silo.Anthropic;

/// <summary>One message of a request.</summary>
internal sealed record MessageParameter
{
    /// <summary>Who speaks.</summary>
    public string? Role { get; init; }

    /// <summary>What is said: a string, or a list of blocks.</summary>
    public JsonElement? Content { get; init; }
}
