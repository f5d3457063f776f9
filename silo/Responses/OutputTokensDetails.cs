namespace KvTiers.Silo.Responses;

/// <summary>What an answer's tokens are.</summary>
internal sealed record OutputTokensDetails
{
    /// <summary>Always 0: reasoning is not told apart.</summary>
    public int ReasoningTokens => 0;
}
