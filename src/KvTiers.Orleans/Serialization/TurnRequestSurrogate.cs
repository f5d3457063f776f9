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
}

/// <summary>Exchanges the two.</summary>
[RegisterConverter]
internal sealed class TurnRequestConverter : IConverter<TurnRequest, TurnRequestSurrogate>
{
    public TurnRequest ConvertFromSurrogate(in TurnRequestSurrogate surrogate) => new()
    {
        Mode = surrogate.Mode,
        Messages = [.. WireNames.Need(surrogate.Roles).Zip(WireNames.Need(surrogate.Contents), (role, content) => new ChatMessage(role, content))],
        Options = surrogate.Options ?? new(),
        ExpectedVersion = surrogate.ExpectedVersion,
    };

    public TurnRequestSurrogate ConvertToSurrogate(in TurnRequest value) => new()
    {
        Mode = value.Mode,
        Roles = [.. value.Messages.Select(message => message.Role)],
        Contents = [.. value.Messages.Select(message => message.Content)],
        Options = value.Options,
        ExpectedVersion = value.ExpectedVersion,
    };
}
