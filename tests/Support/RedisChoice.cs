namespace KvTiers.Tests.Support;

/// <summary>Which Redis tests use, and why.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Reason">A sentence for those who read why a test was skipped.</param>
public sealed record RedisChoice(RedisKind Kind, string Reason)
{
    /// <summary>The environment variable that says which: <c>local</c>, <c>container</c> or <c>skip</c>.</summary>
    public const string Variable = "KVTIERS_TEST_REDIS";

    private static readonly Lazy<RedisChoice> Made = new(() =>
        Of(Environment.GetEnvironmentVariable(Variable), () => LocalRedis.IsOnPath, ContainerRedis.DockerAnswers));

    /// <summary>The choice of this process.</summary>
    /// <exception cref="InvalidOperationException">What was asked for cannot be had here.</exception>
    public static RedisChoice Here => Made.Value;

    /// <summary>Without a setting the nearest that can be had; with one just that.</summary>
    /// <param name="setting">The variable's value; nothing, or blank: not set.</param>
    /// <param name="pathHasServer">Whether <c>redis-server</c> is on the path.</param>
    /// <param name="dockerAnswers">Whether a Docker engine answers. Asked only when it matters.</param>
    /// <exception cref="InvalidOperationException">What was asked for cannot be had, or nobody knows what it is.</exception>
    public static RedisChoice Of(string? setting, Func<bool> pathHasServer, Func<bool> dockerAnswers)
    {
        switch (setting?.Trim())
        {
            case null or "":
                return pathHasServer() ? new(RedisKind.Local, "redis-server is on the path")
                    : dockerAnswers() ? new(RedisKind.Container, "redis-server is not on the path, and a Docker engine answers")
                    : new(RedisKind.None, "redis-server is not on the path, and no Docker engine answers");
            case "local":
                return pathHasServer() ? new(RedisKind.Local, $"{Variable} is local")
                    : throw new InvalidOperationException($"{Variable} is 'local', but redis-server is not on the path.");
            case "container":
                return dockerAnswers() ? new(RedisKind.Container, $"{Variable} is container")
                    : throw new InvalidOperationException($"{Variable} is 'container', but no Docker engine answers here.");
            case "skip":
                return new(RedisKind.None, $"{Variable} is skip");
            default:
                throw new InvalidOperationException($"{Variable} is '{setting}'; it must be local, container or skip, or not set.");
        }
    }
}
