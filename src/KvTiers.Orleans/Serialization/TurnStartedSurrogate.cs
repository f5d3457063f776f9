using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Serialization;

/// <summary>A <see cref="TurnStarted"/> in a message.</summary>
[GenerateSerializer]
internal struct TurnStartedSurrogate
{
    [Id(0)]
    public string? Conversation;

    [Id(1)]
    public int PromptTokens;

    [Id(2)]
    public EditReceipt? Edit;

    /// <summary><see cref="ContextCut"/> as over HTTP; null = none.</summary>
    [Id(3)]
    public string? Cut;

    [Id(4)]
    public int? AnswerRoom;
}

/// <summary>Exchanges the two.</summary>
[RegisterConverter]
internal sealed class TurnStartedConverter : IConverter<TurnStarted, TurnStartedSurrogate>
{
    public TurnStarted ConvertFromSurrogate(in TurnStartedSurrogate surrogate) => new()
    {
        Conversation = WireNames.Need(surrogate.Conversation),
        PromptTokens = surrogate.PromptTokens,
        Edit = surrogate.Edit,
        Cut = surrogate.Cut is null ? null : JsonSerializer.Deserialize<ContextCut>(surrogate.Cut, ConversationJson.Options),
        AnswerRoom = surrogate.AnswerRoom,
    };

    public TurnStartedSurrogate ConvertToSurrogate(in TurnStarted value) => new()
    {
        Conversation = value.Conversation,
        PromptTokens = value.PromptTokens,
        Edit = value.Edit,
        Cut = value.Cut is null ? null : JsonSerializer.Serialize(value.Cut, ConversationJson.Options),
        AnswerRoom = value.AnswerRoom,
    };
}
