namespace KvTiers.Inference.Scheduling;

/// <summary>How one vector is made of the hidden states of a prompt's tokens, as they are after the last layer and its norm.</summary>
public enum EmbeddingPooling
{
    /// <summary>The state of the last token, which has seen all others. What is cached of the tokens before it is used.</summary>
    LastToken,

    /// <summary>The mean of the states of all tokens, summed in their order. All of them are computed, cached or not.</summary>
    Mean,
}
