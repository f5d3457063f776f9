using KvTiers.Orleans.Clients;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Models;
using KvTiers.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KvTiers.Silo.Tests.Configuration;

/// <summary>No message, log, health reason or metric shows what a setting keeps secret, whatever is wrong with it.</summary>
public sealed class RedactionTests
{
    private const string Password = "hunter2-is-secret";

    // Every way in which an address can be wrong, and right.
    private static readonly string[] Addresses =
    [
        $"127.0.0.1:1,password={Password}", $"127.0.0.1:1,user=me,password={Password},connectTimeout=soon", $"redis://me:{Password}@127.0.0.1:1",
        $"127.0.0.1:1,password=x,{Password}", $"127.0.0.1:1,passwort={Password}", $"me:{Password}@127.0.0.1:1", $"127.0.0.1:1,defaultDatabase=99x,password={Password}",
    ];

    /// <summary>The settings are the reader's own list, so that a new one is tried too.</summary>
    [Fact]
    public void NoSettingThatIsWrongShowsItsPassword()
    {
        string known = Assert.Throws<StartException>(() => Read(("Nonsense", "1"))).Lines.Single(line => line.Contains("Known:", StringComparison.Ordinal));
        string[] settings = [.. known[(known.IndexOf("Known:", StringComparison.Ordinal) + 6)..].TrimEnd('.').Split(',', StringSplitOptions.TrimEntries)];
        Assert.Contains("StoreRedis", settings);
        Assert.Contains("Cluster", settings);
        string[] holders = [.. settings.Where(name => name.Contains("Redis", StringComparison.Ordinal) || name is "Cluster" or "TenantSecret"), "Reddis", "RedisPassword", "Orleans:Redis"];
        int messages = 0;
        foreach (string setting in holders)
        {
            foreach (string address in Addresses)
            {
                foreach (string store in (string[])["file", "redis"])
                {
                    if (Record.Exception(() => Read((setting, address), ("Store", store))) is not StartException fault)
                        continue;
                    messages += fault.Lines.Count;
                    AssertSecret(fault);
                }
            }
        }

        Assert.True(messages > 100, $"only {messages} messages");
        AssertSecret(Assert.Throws<StartException>(() => Read(("TenantSecret", Password))));
    }

    [Fact]
    public async Task WhatCannotBeOpenedIsNamedWithoutThePassword()
    {
        int failed = 0;
        foreach (string address in Addresses)
        {
            var options = new SiloOptions { Model = "", Redis = address, Store = StoreKind.Redis, StoreRedis = address };
            Exception? store = await Record.ExceptionAsync(async () => await ((IAsyncDisposable)await StoreComposition.OpenAsync(options with { StoreDeadline = TimeSpan.FromMilliseconds(10) }, TimeProvider.System)).DisposeAsync());
            Exception? tier = await Record.ExceptionAsync(async () => await (await TierComposition.OpenAsync(options, new KvCacheOptions { HotBlocks = 1, Prefault = false }, new(1, 1, 16), TimeProvider.System))!.DisposeAsync());
            Exception? client = await Record.ExceptionAsync(() => ClusterClient.ConnectAsync(new ClusterClientOptions { Redis = address + ",connectTimeout=50,connectRetry=0" }));
            foreach (Exception? fault in (Exception?[])[store, tier, client])
            {
                if (fault is null)
                    continue;
                failed++;
                AssertSecret(fault);
            }
        }

        Assert.True(failed > 3, $"only {failed} failed");
    }

    [Fact]
    public async Task AServerWhoseRedisIsAwaySaysSoWithoutThePassword()
    {
        var logs = new LogList();
        await using SiloServer silo = await SiloServer.StartAsync(
            services => services.AddSingleton<ILoggerProvider>(logs),
            "--redis", $"127.0.0.1:1,password={Password},connectTimeout=50", "--Logging:LogLevel:Default=Debug");
        int asked = 0;
        await Eventually.TrueAsync(async () =>
        {
            string body = $$"""{"prompt":"Once upon a time number {{asked++}} there was a cat and a dog","max_tokens":20}""";
            await silo.Http.PostAsync("/v1/completions", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
            return (await silo.Http.GetStringAsync("/readyz")).Contains("degraded", StringComparison.Ordinal);
        });
        foreach (string route in (string[])["/readyz", "/metrics", "/admin/tiers"])
            Assert.DoesNotContain(Password, await silo.Http.GetStringAsync(route), StringComparison.Ordinal);
        Assert.NotEmpty(logs.Lines);
        Assert.All(logs.Lines, line => Assert.DoesNotContain(Password, line, StringComparison.Ordinal));
    }

    /// <summary>Calls of stored conversations are refused meanwhile, with a message of their own.</summary>
    [Fact]
    public async Task AStoreThatIsAwayRefusesWithoutThePassword()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, "redis-server is not installed");
        using var redis = new RedisServer();
        var logs = new LogList();
        await using SiloServer silo = await SiloServer.StartAsync(
            services => services.AddSingleton<ILoggerProvider>(logs),
            "--store", "redis", "--store-redis", $"{redis.Configuration},user={Password}", "--KvTiers:StoreDeadline=100ms", "--Logging:LogLevel:Default=Debug",
            "--KvTiers:TenantSecret=" + Convert.ToHexStringLower(TenantSalts.NewSecret()));
        redis.Kill();
        await Eventually.TrueAsync(async () =>
        {
            HttpResponseMessage answer = await silo.Http.GetAsync("/v1/conversations");
            Assert.DoesNotContain(Password, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            return (int)answer.StatusCode == 503;
        });
        Assert.DoesNotContain(Password, await silo.Http.GetStringAsync("/readyz"), StringComparison.Ordinal);
        Assert.All(logs.Lines, line => Assert.DoesNotContain(Password, line, StringComparison.Ordinal));
    }

    private static SiloOptions Read(params (string Key, string Value)[] settings) =>
        SiloOptionsReader.Read(new ConfigurationBuilder().AddInMemoryCollection(settings.Append(("Model", TestModels.Tiny)).Select(setting => KeyValuePair.Create("KvTiers:" + setting.Item1, (string?)setting.Item2))).Build());

    // The whole exception: a log shows inner ones and stack traces too.
    private static void AssertSecret(Exception exception) => Assert.DoesNotContain(Password, exception.ToString(), StringComparison.Ordinal);
}
