namespace KvTiers.Inference.Scheduling;

/// <summary>Why a choice ended. A choice that failed has no result: its generation throws.</summary>
public enum FinishReason
{
    /// <summary>The model ended the text, or a stop string came up.</summary>
    Stop,

    /// <summary>MaxNewTokens, the context length or the size of the block pool was reached.</summary>
    Length,

    /// <summary>The caller cancelled, stopped reading, or the engine was disposed. The tokens so far stand.</summary>
    Cancelled,
}
