using KvTiers.Conversations;

namespace KvTiers.Silo.Conversations;

/// <summary>Body of <c>POST …/turns</c>: a <see cref="TurnRequest"/> and how its answer is sent.</summary>
internal sealed record TurnBody
{
    /// <summary>Whether the messages are new or the whole history.</summary>
    public TurnMode Mode { get; init; }

    /// <summary>The messages, at least one.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>How to generate.</summary>
    public GenerationOptions Options { get; init; } = new();

    /// <summary>Keeps a conversation's blocks apart from the tenant's others; null = as the conversation was begun.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>The version that the caller has seen; null = any.</summary>
    public long? ExpectedVersion { get; init; }

    /// <summary>What is done when the conversation outgrows the model's context, from this turn on; null = as it was.</summary>
    public ContextPolicy? ContextPolicy { get; init; }

    /// <summary>Whether this turn may leave messages out of its prompt; null = as the conversation's policy says.</summary>
    public Truncation? Truncation { get; init; }

    /// <summary>Whether the answer comes as events.</summary>
    public bool Stream { get; init; }

    /// <summary>The turn alone.</summary>
    public TurnRequest ToRequest() => new()
    {
        Mode = Mode,
        Messages = Messages,
        Options = Options,
        CacheSalt = CacheSalt,
        ExpectedVersion = ExpectedVersion,
        ContextPolicy = ContextPolicy,
        Truncation = Truncation,
    };
}
