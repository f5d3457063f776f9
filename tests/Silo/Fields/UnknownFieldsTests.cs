using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Fields;

public sealed class UnknownFieldsTests
{
    private const string Chat = """{"messages":[{"role":"user","content":"x","colour":"red"}],"max_tokens":1,"max_token":5}""";

    [Fact]
    public async Task TheLenientServerLetsThemPassAndRefusesTheOthersAsBefore()
    {
        await using SiloServer silo = await SiloServer.StartAsync("--unknown-fields", "ignore");

        await silo.Http.PostAsync("/v1/chat/completions", Chat);
        await silo.Http.PostAsync("/v1/conversations", """{"id":"c","colour":"red"}""", HttpStatusCode.Created);
        JsonObject refused = await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}],"audio":{}}""", HttpStatusCode.BadRequest);
        JsonObject twice = await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}],"colour":1,"colour":1}""", HttpStatusCode.BadRequest);
        JsonObject wrong = await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}],"max_tokens":"5"}""", HttpStatusCode.BadRequest);

        Assert.Equal(("audio", "unsupported_parameter"), Error(refused));
        Assert.Equal(("colour", "duplicate_parameter"), Error(twice));
        Assert.Equal(("max_tokens", "invalid_type"), Error(wrong));
    }

    [Fact]
    public async Task TheStrictServerRefusesThemInItsOwnRequestsToo()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        await silo.Http.PostAsync("/v1/conversations", """{"id":"c"}""", HttpStatusCode.Created);

        JsonObject chat = await silo.Http.PostAsync("/v1/chat/completions", Chat, HttpStatusCode.BadRequest);
        JsonObject turn = await silo.Http.PostAsync("/v1/conversations/c/turns", """{"messages":[{"role":"user","content":"x"}],"options":{"max_token":1}}""", HttpStatusCode.BadRequest);
        JsonObject kind = await silo.Http.PostAsync("/v1/conversations/c/turns", """{"messages":[{"role":"user","content":"x"}],"options":{"max_tokens":"1"}}""", HttpStatusCode.BadRequest);

        Assert.Equal(("messages[0].colour", "unknown_parameter"), Error(chat));
        Assert.Equal(("options.max_token", "unknown_parameter"), Error(turn));
        Assert.Contains("did you mean 'max_tokens'?", (string)turn["error"]!["message"]!);
        Assert.Equal(("options.max_tokens", "invalid_type"), Error(kind));
    }

    private static (string? Param, string? Code) Error(JsonObject answer) => ((string?)answer["error"]!["param"], (string?)answer["error"]!["code"]);
}
