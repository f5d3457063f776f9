namespace KvTiers.Tests.Support;

/// <summary>What a test's Redis is.</summary>
public enum RedisKind
{
    /// <summary>There is none, and tests that need one skip.</summary>
    None,

    /// <summary><c>redis-server</c> from the path, as a process.</summary>
    Local,

    /// <summary>A container of the Docker engine that answers here.</summary>
    Container,
}
