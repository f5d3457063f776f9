using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Serialization;

/// <summary>A <see cref="TurnCompleted"/> in a message, with all that it has.</summary>
[GenerateSerializer]
internal struct TurnCompletedSurrogate
{
    [Id(0)]
    public string? Conversation;

    [Id(1)]
    public long Version;

    [Id(2)]
    public string? FinishReason;

    [Id(3)]
    public int Index;

    [Id(4)]
    public string? Role;

    [Id(5)]
    public string? Content;

    [Id(6)]
    public int TokenStart;

    [Id(7)]
    public int TokenCount;

    [Id(8)]
    public int PromptTokens;

    [Id(9)]
    public int CompletionTokens;

    [Id(10)]
    public int ComputedTokens;

    [Id(11)]
    public int InvalidatedTokens;

    [Id(12)]
    public double TtftMs;

    [Id(13)]
    public double TotalMs;

    /// <summary>Tokens found hot, in RAM, on disk and in Redis; further tiers go behind them.</summary>
    [Id(14)]
    public int[]? Cached;

    /// <summary>What the answer has beside its text (<see cref="MessageDetails"/>); null = nothing.</summary>
    [Id(15)]
    public string? Details;

    [Id(16)]
    public string? LimitedBy;

    /// <summary><see cref="ContextCut"/> as over HTTP; null = none.</summary>
    [Id(17)]
    public string? Cut;
}

/// <summary>Exchanges the two.</summary>
[RegisterConverter]
internal sealed class TurnCompletedConverter : IConverter<TurnCompleted, TurnCompletedSurrogate>
{
    public TurnCompleted ConvertFromSurrogate(in TurnCompletedSurrogate surrogate) => new()
    {
        Conversation = WireNames.Need(surrogate.Conversation),
        Version = surrogate.Version,
        FinishReason = WireNames.Need(surrogate.FinishReason),
        Message = Message(surrogate),
        Usage = new()
        {
            PromptTokens = surrogate.PromptTokens,
            CompletionTokens = surrogate.CompletionTokens,
            Cached = surrogate.Cached is [int hot, int ram, int disk, int redis, ..] ? new() { Hot = hot, Ram = ram, Disk = disk, Redis = redis } : new(),
            ComputedTokens = surrogate.ComputedTokens,
            InvalidatedTokens = surrogate.InvalidatedTokens,
            TtftMs = surrogate.TtftMs,
            TotalMs = surrogate.TotalMs,
            LimitedBy = surrogate.LimitedBy,
            Cut = surrogate.Cut is null ? null : JsonSerializer.Deserialize<ContextCut>(surrogate.Cut, ConversationJson.Options),
        },
    };

    public TurnCompletedSurrogate ConvertToSurrogate(in TurnCompleted value) => new()
    {
        Conversation = value.Conversation,
        Version = value.Version,
        FinishReason = value.FinishReason,
        Index = value.Message.Index,
        Role = value.Message.Role,
        Content = value.Message.Content,
        TokenStart = value.Message.TokenStart,
        TokenCount = value.Message.TokenCount,
        PromptTokens = value.Usage.PromptTokens,
        CompletionTokens = value.Usage.CompletionTokens,
        Cached = [value.Usage.Cached.Hot, value.Usage.Cached.Ram, value.Usage.Cached.Disk, value.Usage.Cached.Redis],
        ComputedTokens = value.Usage.ComputedTokens,
        InvalidatedTokens = value.Usage.InvalidatedTokens,
        TtftMs = value.Usage.TtftMs,
        TotalMs = value.Usage.TotalMs,
        Details = MessageDetails.Of(value.Message),
        LimitedBy = value.Usage.LimitedBy,
        Cut = value.Usage.Cut is null ? null : JsonSerializer.Serialize(value.Usage.Cut, ConversationJson.Options),
    };

    private static MessageView Message(in TurnCompletedSurrogate surrogate)
    {
        MessageDetails more = MessageDetails.Read(surrogate.Details);
        return new()
        {
            Index = surrogate.Index,
            Role = WireNames.Need(surrogate.Role),
            Content = WireNames.Need(surrogate.Content),
            Name = more.Name,
            ReasoningContent = more.ReasoningContent,
            ToolCalls = more.ToolCalls,
            ToolCallId = more.ToolCallId,
            Pinned = more.Pinned,
            DroppedAt = more.DroppedAt,
            TokenStart = surrogate.TokenStart,
            TokenCount = surrogate.TokenCount,
        };
    }
}
