namespace KvTiers.Silo.OpenAi;

/// <summary>What an answer's tokens were. This server's models neither reason apart, nor speak, nor are given predictions: all are 0.</summary>
internal sealed record CompletionTokensDetails
{
    /// <summary>Tokens of reasoning.</summary>
    public int ReasoningTokens => 0;

    /// <summary>Tokens of audio.</summary>
    public int AudioTokens => 0;

    /// <summary>Predicted tokens that were taken.</summary>
    public int AcceptedPredictionTokens => 0;

    /// <summary>Predicted tokens that were not taken.</summary>
    public int RejectedPredictionTokens => 0;
}
