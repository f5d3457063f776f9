using KvTiers.Conversations;

namespace KvTiers.Silo.Conversations;

/// <summary>Body of <c>POST …/regenerate</c>.</summary>
internal sealed record RegenerateBody
{
    /// <summary>How to generate.</summary>
    public GenerationOptions Options { get; init; } = new();

    /// <summary>Whether the answer comes as events.</summary>
    public bool Stream { get; init; }
}
