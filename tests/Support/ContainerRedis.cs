using System.Globalization;
using Docker.DotNet;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Configurations;
using Testcontainers.Redis;

namespace KvTiers.Tests.Support;

/// <summary>A Redis in a container, on a port of this machine that it keeps when it is started again, as it keeps its files.</summary>
internal sealed class ContainerRedis : IRedisHost
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly RedisContainer _container;

    /// <param name="image">Name and tag.</param>
    /// <param name="port">The machine's port that leads to it.</param>
    /// <param name="arguments">Of <c>redis-server</c>.</param>
    public ContainerRedis(string image, int port, IEnumerable<string> arguments) => _container = new RedisBuilder(image)
        .WithPortBinding(port.ToString(CultureInfo.InvariantCulture), RedisBuilder.RedisPort.ToString(CultureInfo.InvariantCulture))
        .WithCommand(["redis-server", .. arguments])
        .Build();

    /// <summary>Whether a Docker engine answers here.</summary>
    public static bool DockerAnswers()
    {
        try
        {
            return Task.Run(async () =>
            {
                using IDockerClient? client = Connect();
                if (client is null)
                    return false;
                await client.System.PingAsync();
                return true;
            }).WaitAsync(Patience).GetAwaiter().GetResult();
        }
        catch (Exception)
        {
            // Whatever it is, nothing that answers.
            return false;
        }
    }

    public void Start() => Wait(() => _container.StartAsync());

    // A stop would let it write its files first.
    public void Kill() => Wait(async () =>
    {
        using IDockerClient client = Connect()!;
        await client.Containers.KillContainerAsync(_container.Id, new ContainerKillParameters { Signal = "KILL" });
        await client.Containers.WaitContainerAsync(_container.Id);
    });

    public void Hang() => Wait(() => _container.PauseAsync());

    public void Resume() => Wait(() => _container.UnpauseAsync());

    public string Said()
    {
        (string output, string errors) = Task.Run(() => _container.GetLogsAsync()).GetAwaiter().GetResult();
        return output + errors;
    }

    public void Dispose() => Wait(() => _container.DisposeAsync().AsTask());

    // Testcontainers knows where the engine is, by all the ways in which that can be said; null when it is nowhere.
    private static DockerClient? Connect() => TestcontainersSettings.OS.DockerEndpointAuthConfig?.GetDockerClientBuilder().Build();

    // The seam is used by tests that are not asynchronous, under xUnit's own synchronization context too.
    private static void Wait(Func<Task> call) => Task.Run(call).GetAwaiter().GetResult();
}
