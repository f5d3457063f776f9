namespace KvTiers.Diagnostics;

/// <summary>An invariant of the cache does not hold. There is no recovering: it is a fault of the cache.</summary>
public sealed class CacheIntegrityException : Exception
{
    /// <summary>Names the invariant.</summary>
    public CacheIntegrityException(string message)
        : base(message)
    {
    }
}
