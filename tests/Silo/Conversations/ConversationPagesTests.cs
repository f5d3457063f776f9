using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Silo.Tests.Conversations;

public sealed class ConversationPagesTests
{
    [Fact]
    public async Task PagesAreTheListInAnOrderThatChangesDoNotMove()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        for (int i = 0; i < 5; i++)
            await silo.Http.PostAsync("/v1/conversations", $$"""{"id":"c{{i}}","messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.Created);

        JsonObject first = await silo.Http.GetJsonAsync("/v1/conversations?limit=2");
        await silo.Http.SendJsonAsync(HttpMethod.Patch, "/v1/conversations/c0/messages/0", """{"content":"changed"}""");
        await silo.Http.PostAsync("/v1/conversations", """{"id":"later"}""", HttpStatusCode.Created);
        JsonObject second = await silo.Http.GetJsonAsync("/v1/conversations?limit=2&after=" + (string)first["last_id"]!);
        JsonObject third = await silo.Http.GetJsonAsync("/v1/conversations?limit=2&after=" + (string)second["last_id"]!);

        Assert.Equal(["c4", "c3", "c2", "c1", "c0"], Ids(first).Concat(Ids(second)).Concat(Ids(third)));
        Assert.Equal(("list", "c4", "c3", true), ((string)first["object"]!, (string)first["first_id"]!, (string)first["last_id"]!, (bool)first["has_more"]!));
        Assert.False((bool)third["has_more"]!);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("after=nobody", "after")]
    public async Task WhatIsNoPageIsRefused(string query, string param)
    {
        await using SiloServer silo = await SiloServer.StartAsync();

        Assert.Equal(param, (string)(await silo.Http.GetJsonAsync("/v1/conversations?" + query, HttpStatusCode.BadRequest))["error"]!["param"]!);
    }

    [Fact]
    public async Task AnEmptyListIsAPageToo()
    {
        await using SiloServer silo = await SiloServer.StartAsync();

        Assert.Equal("""{"object":"list","data":[],"has_more":false,"first_id":null,"last_id":null}""", (await silo.Http.GetJsonAsync("/v1/conversations")).ToJsonString());
    }

    [Fact]
    public async Task TheClientReadsOnePageOrAll()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        using var http = new HttpClient();
        var conversations = new HttpConversations(http, new KvTiersClientOptions { BaseAddress = silo.Url });
        for (int i = 0; i < 3; i++)
            await conversations.CreateAsync("default", new CreateConversation { Id = $"c{i}" });

        ConversationPage page = await conversations.ListPageAsync("default", 2);
        ConversationPage rest = await conversations.ListPageAsync("default", 2, page.LastId);

        Assert.Equal(["c2", "c1"], page.Data.Select(one => one.Id));
        Assert.Equal("c0", Assert.Single(rest.Data).Id);
        Assert.Equal((true, false), (page.HasMore, rest.HasMore));
        Assert.Equal(3, (await conversations.ListAsync("default")).Count);
    }

    [Fact]
    public async Task AnAdministratorReadsPagesOfATenant()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        for (int i = 0; i < 3; i++)
            await silo.Http.PostAsync("/v1/conversations", $$"""{"id":"c{{i}}"}""", HttpStatusCode.Created);

        JsonNode first = (await silo.Http.GetJsonAsync("/admin/conversations?limit=2"))["tenants"]![0]!;
        JsonNode second = (await silo.Http.GetJsonAsync("/admin/conversations?limit=2&tenant=default&after=c1"))["tenants"]![0]!;

        Assert.Equal((2, true), (first["conversations"]!.AsArray().Count, (bool)first["has_more"]!));
        Assert.Equal((1, false), (second["conversations"]!.AsArray().Count, (bool)second["has_more"]!));
        await silo.Http.GetJsonAsync("/admin/conversations?after=c1", HttpStatusCode.BadRequest);
    }

    private static IEnumerable<string> Ids(JsonObject page) => page["data"]!.AsArray().Select(one => (string)one!["id"]!);
}
