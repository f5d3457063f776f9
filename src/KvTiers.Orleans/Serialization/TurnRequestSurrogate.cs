using KvTiers.Conversations;

namespace KvTiers.Orleans.Serialization;

/// <summary>A <see cref="TurnRequest"/> in a message: on the way of every turn, so not as JSON.</summary>
[GenerateSerializer]
internal struct TurnRequestSurrogate
{
    [Id(0)]
    public TurnMode Mode;

    [Id(1)]
    public string[]? Roles;

    [Id(2)]
    public string[]? Contents;

    [Id(3)]
    public GenerationOptions? Options;

    [Id(4)]
    public long? ExpectedVersion;

    /// <summary>One for each message, null for those that have none (<see cref="MessageDetails"/>); null = none has.</summary>
    [Id(5)]
    public string?[]? Details;

    [Id(6)]
    public string? Note;

    [Id(10)]
    public string? CacheSalt;

    [Id(11)]
    public ContextPolicy? ContextPolicy;

    [Id(12)]
    public Truncation? Truncation;
}

/// <summary>Exchanges the two.</summary>
[RegisterConverter]
internal sealed class TurnRequestConverter : IConverter<TurnRequest, TurnRequestSurrogate>
{
    public TurnRequest ConvertFromSurrogate(in TurnRequestSurrogate surrogate) => new()
    {
        Mode = surrogate.Mode,
        Messages = Messages(WireNames.Need(surrogate.Roles), WireNames.Need(surrogate.Contents), surrogate.Details),
        Options = surrogate.Options ?? new(),
        ExpectedVersion = surrogate.ExpectedVersion,
        CacheSalt = surrogate.CacheSalt,
        ContextPolicy = surrogate.ContextPolicy,
        Truncation = surrogate.Truncation,
        Note = surrogate.Note,
    };

    public TurnRequestSurrogate ConvertToSurrogate(in TurnRequest value) => new()
    {
        Mode = value.Mode,
        Roles = [.. value.Messages.Select(message => message.Role)],
        Contents = [.. value.Messages.Select(message => message.Content)],
        Options = value.Options,
        ExpectedVersion = value.ExpectedVersion,
        Details = MessageDetails.Of(value.Messages),
        CacheSalt = value.CacheSalt,
        ContextPolicy = value.ContextPolicy,
        Truncation = value.Truncation,
        Note = value.Note,
    };

    private static ChatMessage[] Messages(string[] roles, string[] contents, string?[]? details)
    {
        if (roles.Length != contents.Length || (details is not null && details.Length != roles.Length))
            throw new FormatException("A message between silos has a turn's messages without a part of them.");
        var messages = new ChatMessage[roles.Length];
        for (int i = 0; i < messages.Length; i++)
        {
            MessageDetails more = MessageDetails.Read(details?[i]);
            messages[i] = new(roles[i], contents[i]) { Name = more.Name, ReasoningContent = more.ReasoningContent, ToolCalls = more.ToolCalls, ToolCallId = more.ToolCallId, Pinned = more.Pinned };
        }

        return messages;
    }
}
