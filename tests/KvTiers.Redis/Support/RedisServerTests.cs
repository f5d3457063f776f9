using StackExchange.Redis;

namespace KvTiers.Redis.Tests.Support;

/// <summary>What tests take for granted of their Redis, of a process and of a container.</summary>
public sealed class RedisServerTests
{
    [Theory]
    [InlineData(RedisKind.Local, false)]
    [InlineData(RedisKind.Local, true)]
    [InlineData(RedisKind.Container, false)]
    [InlineData(RedisKind.Container, true)]
    public async Task OneThatWasKilledComesBackAtItsAddressWithWhatItKeeps(RedisKind kind, bool keeps)
    {
        using RedisServer server = Start(kind, keeps);
        string configuration = server.Configuration;
        Assert.True(await SetAsync(configuration, "a", "1"));
        server.Kill();
        Assert.False(RedisServer.Answers(server.Port));
        server.Start();
        Assert.Equal(configuration, server.Configuration);
        Assert.Equal(keeps ? "1" : null, await GetAsync(configuration, "a"));
    }

    [Theory]
    [InlineData(RedisKind.Local)]
    [InlineData(RedisKind.Container)]
    public async Task OneThatHangsAnswersNothingUntilItGoesOn(RedisKind kind)
    {
        using RedisServer server = Start(kind, keeps: false);
        Assert.True(await SetAsync(server.Configuration, "a", "1"));
        server.Hang();
        Assert.False(RedisServer.Answers(server.Port));
        server.Resume();
        Assert.True(RedisServer.Answers(server.Port));
        Assert.Equal("1", await GetAsync(server.Configuration, "a"));
    }

    [Fact]
    public void WhereThereIsNoneNothingHappens()
    {
        using var server = new RedisServer(new(RedisKind.None, "for the test"), keeps: false);
        server.Start();
        server.Hang();
        server.Resume();
        server.Kill();
        Assert.False(RedisServer.Answers(server.Port));
    }

    private static RedisServer Start(RedisKind kind, bool keeps)
    {
        Assert.SkipUnless(kind != RedisKind.Local || LocalRedis.IsOnPath, "redis-server is not on the path");
        Assert.SkipUnless(kind != RedisKind.Container || ContainerRedis.DockerAnswers(), "no Docker engine answers");
        Assert.SkipWhen(RedisServer.Reason.EndsWith("skip", StringComparison.Ordinal), RedisServer.Reason);
        return new RedisServer(new(kind, "for the test"), keeps);
    }

    private static async Task<bool> SetAsync(string configuration, string key, string value)
    {
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(configuration);
        return await connection.GetDatabase().StringSetAsync(key, value);
    }

    private static async Task<string?> GetAsync(string configuration, string key)
    {
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(configuration);
        return await connection.GetDatabase().StringGetAsync(key);
    }
}
