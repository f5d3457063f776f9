using KvTiers.Client;
using KvTiers.Conversations;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KvTiers.Cli.Tests.Http;

public class KvTiersClientOptionsTests
{
    [Fact]
    public void TheDefaultsHold() => Assert.Empty(FailuresOf(new KvTiersClientOptions()));

    [Theory]
    [InlineData("http://127.0.0.1:5080", true)]
    [InlineData("https://example.org/kv/", true)]
    [InlineData("ftp://example.org", false)]
    [InlineData("/relative", false)]
    [InlineData("http://example.org/?q=1", false)]
    [InlineData("http://example.org/#part", false)]
    public void TheBaseAddressIsAnAbsoluteHttpUrl(string address, bool holds) =>
        Check(new KvTiersClientOptions { BaseAddress = new Uri(address, UriKind.RelativeOrAbsolute) }, holds, "BaseAddress");

    [Theory]
    [InlineData("k", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a\nb", false)]
    [InlineData("é", false)]
    public void TheApiKeyFitsInAHeader(string key, bool holds) => Check(new KvTiersClientOptions { ApiKey = key }, holds, "ApiKey");

    [Theory]
    [InlineData("acme", true)]
    [InlineData("", false)]
    [InlineData("a/b", false)]
    public void TheTenantIsAName(string tenant, bool holds) => Check(new KvTiersClientOptions { Tenant = tenant }, holds, "Tenant");

    [Theory]
    [InlineData("demo", true)]
    [InlineData(" ", false)]
    public void TheModelIsNotBlank(string model, bool holds) => Check(new KvTiersClientOptions { Model = model }, holds, "Model");

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(TimeSpan.TicksPerDay, true)]
    [InlineData(TimeSpan.TicksPerDay + 1, false)]
    public void TheSilenceLimitIsAboveZeroAndAtMostADay(long ticks, bool holds) =>
        Check(new KvTiersClientOptions { SilenceLimit = TimeSpan.FromTicks(ticks) }, holds, "SilenceLimit");

    [Fact]
    public async Task AServiceProviderGivesBothClients()
    {
        var server = new FakeServer(_ => FakeServer.Json("""{"object":"list","data":[],"has_more":false}"""));
        var services = new ServiceCollection();
        services.AddKvTiersClient(options => options.ApiKey = "secret-key").ConfigurePrimaryHttpMessageHandler(() => server);
        await using ServiceProvider provider = services.BuildServiceProvider();

        Assert.Empty(await provider.GetRequiredService<IConversations>().ListAsync("default"));
        Assert.IsType<KvTiersChatClient>(provider.GetRequiredService<IChatClient>());

        Assert.Equal("Bearer secret-key", Assert.Single(server.Requests).Authorization);
    }

    [Fact]
    public void AServiceProviderRefusesBrokenOptions()
    {
        var services = new ServiceCollection();
        services.AddKvTiersClient(options => options.SilenceLimit = TimeSpan.Zero);
        using ServiceProvider provider = services.BuildServiceProvider();

        var exception = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IConversations>());

        Assert.Contains("SilenceLimit = '00:00:00': must be above zero and at most 1.00:00:00.", exception.Message);
    }

    private static void Check(KvTiersClientOptions options, bool holds, string property)
    {
        IReadOnlyList<string> failures = FailuresOf(options);
        if (holds)
            Assert.Empty(failures);
        else
            Assert.StartsWith(property + " = ", Assert.Single(failures));
    }

    private static IReadOnlyList<string> FailuresOf(KvTiersClientOptions options)
    {
        try
        {
            _ = new HttpConversations(new HttpClient(), options);
            return [];
        }
        catch (OptionsValidationException exception)
        {
            return [.. exception.Failures];
        }
    }
}
