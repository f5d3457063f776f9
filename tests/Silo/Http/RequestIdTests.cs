using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Http;

[Collection(SiloCollection.Name)]
public sealed class RequestIdTests(SharedSilo silo)
{
    [Theory]
    [InlineData("/v1/models", HttpStatusCode.OK)]
    [InlineData("/nowhere", HttpStatusCode.NotFound)]
    [InlineData("/v1/chat/completions", HttpStatusCode.MethodNotAllowed)]
    public async Task EveryAnswerHasTheCallersIdOrANewOne(string path, HttpStatusCode status)
    {
        (HttpStatusCode Status, string? Id) given = await GetAsync(path, "caller-1.2:3_x");
        (HttpStatusCode Status, string? Id) first = await GetAsync(path, null);
        (HttpStatusCode Status, string? Id) second = await GetAsync(path, null);

        Assert.Equal((status, "caller-1.2:3_x"), given);
        Assert.Equal((status, status), (first.Status, second.Status));
        Assert.StartsWith("req_", first.Id);
        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task AStreamHasItToo()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent("""{"prompt":"x","max_tokens":2,"stream":true}""") };
        request.Headers.Add("x-request-id", "of-a-stream");
        using HttpResponseMessage response = await silo.Http.SendAsync(request);

        Assert.Equal("of-a-stream", response.Headers.GetValues("x-request-id").Single());
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("<script>")]
    [InlineData("129")]
    public async Task AnIdThatCannotBeUsedIsRefused(string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.TryAddWithoutValidation("x-request-id", id == "129" ? new string('a', 129) : id);
        using HttpResponseMessage response = await silo.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("x-request-id", (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["param"]!);
        Assert.StartsWith("req_", response.Headers.GetValues("x-request-id").Single());
    }

    private async Task<(HttpStatusCode Status, string? Id)> GetAsync(string path, string? id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (id is not null) request.Headers.Add("x-request-id", id);
        using HttpResponseMessage response = await silo.Http.SendAsync(request);
        return (response.StatusCode, response.Headers.GetValues("x-request-id").Single());
    }
}
