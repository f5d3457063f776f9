using System.Net;

namespace KvTiers.Silo.Tests.Operations;

public sealed class OrleansDashboardTests
{
    private const string Tenant = "0123456789abcdef";
    private const string Admin = "fedcba9876543210";

    [Fact]
    public async Task ThePageIsForAdminsAndShowsTheGrains()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.Path("keys"), $"default {Tenant}\nadmin {Admin}\n");
        await using SiloServer silo = await SiloServer.StartAsync("--KvTiers:Orleans:Dashboard=on", "--api-key-file", folder.Path("keys"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(silo, "/orleans/", null));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(silo, "/orleans/", Tenant));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(silo, "/orleans/DashboardCounters", Tenant));
        foreach (string method in (string[])["OPTIONS", "HEAD", "POST"])
            Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(silo, "/orleans/DashboardCounters", null, method));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(silo, "/orleans/", Admin));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(silo, "/orleans/DashboardCounters", Admin));
    }

    [Fact]
    public async Task WithoutBeingAskedForThereIsNone()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(silo, "/orleans/", null));
    }

    private static async Task<HttpStatusCode> StatusAsync(SiloServer silo, string path, string? key, string method = "GET")
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        using HttpResponseMessage response = await silo.Http.SendAsync(request);
        return response.StatusCode;
    }
}
