namespace KvTiers.Client.Chat;

/// <summary>Text and calls of functions of an answer.</summary>
internal sealed record ChatPieceText
{
    public string? Content { get; init; }

    public IReadOnlyList<ChatPieceCall>? ToolCalls { get; init; }
}
