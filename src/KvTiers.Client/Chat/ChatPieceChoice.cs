namespace KvTiers.Client.Chat;

/// <summary>What one choice is (<see cref="Message"/>), or what a piece of a stream adds to it (<see cref="Delta"/>).</summary>
internal sealed record ChatPieceChoice
{
    public ChatPieceText? Message { get; init; }

    public ChatPieceText? Delta { get; init; }

    public string? FinishReason { get; init; }
}
