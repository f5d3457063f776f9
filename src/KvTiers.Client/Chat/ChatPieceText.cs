namespace KvTiers.Client.Chat;

/// <summary>Text of an answer.</summary>
internal sealed record ChatPieceText
{
    public string? Content { get; init; }
}
