namespace KvTiers.Inference.Scheduling;

/// <summary>The engine could not finish a generation: the model or the cache threw (the inner exception). Other requests go on.</summary>
public sealed class GenerationFailedException : Exception
{
    /// <summary>Failed for the reason that the inner exception tells.</summary>
    public GenerationFailedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
