using System.Net;
using System.Net.Http.Headers;
using KvTiers.Sessions.Access;
using KvTiers.Tests.Support;

namespace KvTiers.Silo.Tests.Limits;

public sealed class SharedLimitServersTests
{
    [Fact]
    public async Task TwoServersOfOneStoreHoldATenantToOneLimit()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, "redis-server is not installed");
        using var redis = new RedisServer();
        using var folder = new TemporaryFolder();
        string key = ApiKey.New();
        new AccessFile
        {
            Keys = [new() { Id = "one", Tenant = "acme", Sha256 = Convert.ToHexStringLower(ApiKey.Digest(key)) }],
            Tenants = new Dictionary<string, TenantLimits> { ["acme"] = new() { RequestsPerSecond = 0.01 } },
        }.Write(folder.Path("keys.json"));
        string[] arguments = ["--store", "redis", "--store-redis", redis.Configuration, "--api-key-file", folder.Path("keys.json")];
        await using SiloServer first = await SiloServer.StartAsync(arguments);
        await using SiloServer second = await SiloServer.StartAsync(arguments);

        // The two may each let through a part of their own while a call takes long, so there is more than one try.
        HttpStatusCode[] statuses = [await AskAsync(first, key), await AskAsync(second, key), await AskAsync(first, key), await AskAsync(second, key)];

        Assert.Contains(HttpStatusCode.OK, statuses);
        Assert.True(statuses.Count(status => status == HttpStatusCode.TooManyRequests) >= 2, string.Join(' ', statuses));
    }

    private static async Task<HttpStatusCode> AskAsync(SiloServer silo, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage response = await silo.Http.SendAsync(request);
        return response.StatusCode;
    }
}
