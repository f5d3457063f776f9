using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Changes;

/// <summary>The conversation begins, with its first messages or its first turn.</summary>
public sealed record ConversationCreated : ConversationChange
{
    /// <summary>Tells it from an earlier conversation of the same id.</summary>
    public required Guid Incarnation { get; init; }

    /// <summary>Name of the model that answers.</summary>
    public required string Model { get; init; }

    /// <summary>Fingerprint of the vocabulary that the tokens belong to.</summary>
    public required string Vocabulary { get; init; }

    /// <summary>The first messages.</summary>
    public required ImmutableArray<LoggedMessage> Messages { get; init; }

    /// <summary>What its log leaves out; null = nothing.</summary>
    public LogCutChange? Cut { get; init; }

    /// <summary>What is done when it outgrows the context; null = the host's default.</summary>
    public ContextPolicy? ContextPolicy { get; init; }

    /// <summary>Id of the conversation it was forked from; null = it was not.</summary>
    public string? ForkedFrom { get; init; }

    /// <summary>The cache salt that its blocks are under; null = none.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>The turn that began it; null = none did. With a turn, the creation can be undone to the empty conversation.</summary>
    public TurnTrace? Turn { get; init; }
}
