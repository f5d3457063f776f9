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
}

/// <summary>Exchanges the two.</summary>
[RegisterConverter]
internal sealed class TurnStartedConverter : IConverter<TurnStarted, TurnStartedSurrogate>
{
    public TurnStarted ConvertFromSurrogate(in TurnStartedSurrogate surrogate) =>
        new() { Conversation = WireNames.Need(surrogate.Conversation), PromptTokens = surrogate.PromptTokens, Edit = surrogate.Edit };

    public TurnStartedSurrogate ConvertToSurrogate(in TurnStarted value) =>
        new() { Conversation = value.Conversation, PromptTokens = value.PromptTokens, Edit = value.Edit };
}
