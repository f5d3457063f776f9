using System.Net;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Silo.Tests.Responses;

[Collection(SiloCollection.Name)]
public sealed class ResponsesTests(SharedSilo silo)
{
    private const string Path = "/v1/responses";

    [Fact]
    public async Task AResponseHasOpenAisShapeAndIsReadBackAsItWas()
    {
        JsonObject made = await silo.Http.PostAsync(Path, """
            {"model":"tiny","input":"Hello","instructions":"Be brief.","max_output_tokens":5,"temperature":0,"metadata":{"a":"b"}}
            """);

        string id = (string)made["id"]!;
        Assert.StartsWith("resp_", id);
        Assert.Equal("response", (string)made["object"]!);
        Assert.Contains((string)made["status"]!, new[] { "completed", "incomplete" });
        Assert.Equal("Be brief.", (string)made["instructions"]!);
        Assert.Equal(5, (int)made["max_output_tokens"]!);
        Assert.Equal("b", (string)made["metadata"]!["a"]!);
        Assert.True((bool)made["store"]!);
        Assert.All(["error", "previous_response_id", "conversation"], name => Assert.True(made.ContainsKey(name) && made[name] is null, name));
        JsonObject message = Assert.Single(made["output"]!.AsArray())!.AsObject();
        Assert.Equal("message", (string)message["type"]!);
        Assert.Equal("assistant", (string)message["role"]!);
        Assert.Equal("output_text", (string)message["content"]![0]!["type"]!);
        Assert.Empty(message["content"]![0]!["annotations"]!.AsArray());
        JsonObject usage = made["usage"]!.AsObject();
        Assert.Equal((int)usage["total_tokens"]!, (int)usage["input_tokens"]! + (int)usage["output_tokens"]!);
        Assert.Equal(0, (int)usage["output_tokens_details"]!["reasoning_tokens"]!);

        JsonObject read = await silo.Http.GetJsonAsync($"{Path}/{id}");
        Assert.True(made.Remove("kvtiers"));
        Assert.Equal(made.ToJsonString(), read.ToJsonString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"conversation\":\"items_named_1\"")]
    public async Task AReferenceStandsForTheStoredItem(string conversation)
    {
        JsonObject made = await silo.Http.PostAsync(Path, $$"""{"input":"Hello, item","max_output_tokens":5,"temperature":0{{conversation}}}""");
        string Next(string item) => $$"""{"input":[{"role":"user","content":"Hello, item"},{{item}},{"role":"user","content":"And now?"}],"max_output_tokens":6,"temperature":0,"store":false}""";

        JsonObject named = await silo.Http.PostAsync(Path, Next($$"""{"type":"item_reference","id":"{{(string)made["output"]![0]!["id"]!}}"}"""));
        JsonObject whole = await silo.Http.PostAsync(Path, Next(made["output"]![0]!.ToJsonString()));

        Assert.Equal((int)whole["usage"]!["input_tokens"]!, (int)named["usage"]!["input_tokens"]!);
        Assert.Equal(Text(whole), Text(named));
    }

    [Theory]
    [InlineData("\"msg_nobody_1\"", HttpStatusCode.NotFound)]
    [InlineData("\"msg_../.._1\"", HttpStatusCode.NotFound)]
    [InlineData("\"msg_1\"", HttpStatusCode.NotFound)]
    [InlineData("\"\"", HttpStatusCode.NotFound)]
    [InlineData("5", HttpStatusCode.BadRequest)]
    public async Task AReferenceToNothingIsRefused(string id, HttpStatusCode status)
    {
        JsonObject error = await silo.Http.PostAsync(Path, $$"""{"input":[{"type":"item_reference","id":{{id}}}]}""", status);
        Assert.Equal("input[0].id", (string)error["error"]!["param"]!);
    }

    [Fact]
    public async Task AStreamBringsOpenAisEventsInTheirOrder()
    {
        const string Body = """{"input":"Stream this","max_output_tokens":8,"temperature":0""";
        JsonObject whole = await silo.Http.PostAsync(Path, Body + "}");

        List<(string Name, JsonObject Data)> events = await EventsAsync(Body + ",\"stream\":true}");

        Assert.All(events, item => Assert.Equal(item.Name, (string)item.Data["type"]!));
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(item => (int)item.Data["sequence_number"]!));
        string[] names = [.. events.Select(item => item.Name)];
        Assert.Equal(["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"], names[..4]);
        Assert.Equal(["response.output_text.done", "response.content_part.done", "response.output_item.done", "response." + whole["status"]], names[^4..]);
        Assert.All(names[4..^4], name => Assert.Equal("response.output_text.delta", name));
        string text = string.Concat(events[4..^4].Select(item => (string)item.Data["delta"]!));
        Assert.Equal(Text(whole), text);
        Assert.Equal(text, (string)events[^4].Data["text"]!);
        Assert.Equal(text, (string)events[^3].Data["part"]!["text"]!);
        Assert.Equal("in_progress", (string)events[0].Data["response"]!["status"]!);
        Assert.Single(events[2..^1].Select(item => (string?)item.Data["item_id"] ?? (string)item.Data["item"]!["id"]!).Distinct());
        JsonObject end = events[^1].Data["response"]!.AsObject();
        Assert.Equal(text, Text(end));
        Assert.Equal((string)events[0].Data["response"]!["id"]!, (string)end["id"]!);
        Assert.NotNull(end["kvtiers"]);
        Assert.Equal(text, Text(await silo.Http.GetJsonAsync($"{Path}/{end["id"]}")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("You answer in one word, and never twice the same.")]
    public async Task AChainOfTwentyTurnsComputesOnlyWhatIsNew(string instructions)
    {
        string extra = instructions.Length == 0 ? "" : $",\"instructions\":\"{instructions}\"";
        string? previous = null;
        int length = 0;
        for (int turn = 0; turn < 20; turn++)
        {
            EngineSnapshot before = silo.Model.Engine.Snapshot();
            string follows = previous is null ? "" : $",\"previous_response_id\":\"{previous}\"";
            JsonObject response = await silo.Http.PostAsync(Path, $"{{\"input\":\"Chain {instructions.Length}, turn {turn}\",\"max_output_tokens\":4{extra}{follows}}}");
            EngineSnapshot after = silo.Model.Engine.Snapshot();

            int prompt = (int)response["usage"]!["input_tokens"]!;
            int cached = (int)response["usage"]!["input_tokens_details"]!["cached_tokens"]!;
            Assert.Equal(prompt - cached, after.ComputedTokens - before.ComputedTokens);

            // What the last turn left: its prompt, and of its answer all but the last token, which was not computed.
            if (previous is not null) Assert.InRange(cached, length - 1, length);
            length = prompt + (int)response["usage"]!["output_tokens"]!;
            previous = (string)response["id"]!;
        }

        Assert.True(length > 20 * 10);
    }

    [Fact]
    public async Task OneResponseMayBeFollowedTwice()
    {
        string id = (string)(await silo.Http.PostAsync(Path, """{"input":"The root of a fork, with some words in it","max_output_tokens":4,"temperature":0}"""))["id"]!;
        JsonObject left = await FollowAsync(id, "left");
        JsonObject right = await FollowAsync(id, "right");
        JsonObject again = await FollowAsync(id, "left");

        Assert.NotEqual((string)left["id"]!, (string)right["id"]!);
        Assert.Equal(Text(left), Text(again));
        Assert.Equal(id, (string)left["previous_response_id"]!);
        JsonArray items = (await silo.Http.GetJsonAsync($"{Path}/{right["id"]}/input_items?order=asc"))["data"]!.AsArray();
        Assert.Equal(["user", "assistant", "user"], items.Select(item => (string)item!["role"]!));
        Assert.Equal("right", (string)items[2]!["content"]![0]!["text"]!);
    }

    [Fact]
    public async Task InstructionsAreNotTakenOverFromThePreviousResponse()
    {
        string id = (string)(await silo.Http.PostAsync(Path, """{"input":"one","instructions":"These words are for the first alone","max_output_tokens":2}"""))["id"]!;
        JsonObject second = await FollowAsync(id, "two");
        JsonObject other = await silo.Http.PostAsync(Path, $$"""{"input":"two","previous_response_id":"{{id}}","instructions":"Other words","max_output_tokens":2}""");

        Assert.Null(second["instructions"]);
        Assert.Equal("Other words", (string)other["instructions"]!);
        JsonObject view = await silo.Http.GetJsonAsync($"/v1/conversations/{second["id"]}");
        Assert.DoesNotContain(view["messages"]!.AsArray(), message => (string)message!["role"]! == "system");
        JsonObject changed = await silo.Http.GetJsonAsync($"/v1/conversations/{other["id"]}");
        Assert.Equal("Other words", (string)Assert.Single(changed["messages"]!.AsArray(), message => (string)message!["role"]! == "system")!["content"]!);
    }

    [Fact]
    public async Task AnUnstoredResponseIsNotThereAndMayFollowAStoredOne()
    {
        string stored = (string)(await silo.Http.PostAsync(Path, """{"input":"kept","max_output_tokens":3,"temperature":0}"""))["id"]!;
        JsonObject loose = await silo.Http.PostAsync(Path, $$"""{"input":"not kept","store":false,"previous_response_id":"{{stored}}","max_output_tokens":3,"temperature":0}""");

        Assert.False((bool)loose["store"]!);
        Assert.Equal(stored, (string)loose["previous_response_id"]!);
        Assert.True((int)loose["usage"]!["input_tokens_details"]!["cached_tokens"]! > 0);
        await silo.Http.GetJsonAsync($"{Path}/{loose["id"]}", HttpStatusCode.NotFound);
        await silo.Http.PostAsync(Path, $$"""{"input":"x","previous_response_id":"{{loose["id"]}}"}""", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task ADeletedResponseIsGoneAndWhatFollowsItIsNot()
    {
        string first = (string)(await silo.Http.PostAsync(Path, """{"input":"to be deleted","max_output_tokens":3}"""))["id"]!;
        string second = (string)(await FollowAsync(first, "stays"))["id"]!;
        JsonObject deleted = await silo.Http.SendJsonAsync(HttpMethod.Delete, $"{Path}/{first}");

        Assert.True((bool)deleted["deleted"]!);
        Assert.Equal(first, (string)deleted["id"]!);
        await silo.Http.GetJsonAsync($"{Path}/{first}", HttpStatusCode.NotFound);
        await silo.Http.SendJsonAsync(HttpMethod.Delete, $"{Path}/{first}", null, HttpStatusCode.NotFound);
        Assert.Equal("completed", (string)(await silo.Http.GetJsonAsync($"{Path}/{second}/input_items"))["data"]![0]!["status"]!);
        await FollowAsync(second, "goes on");
    }

    [Fact]
    public async Task AResponseMayBeATurnOfAConversation()
    {
        JsonObject first = await silo.Http.PostAsync(Path, """{"conversation":"held-by-responses","input":"one","max_output_tokens":2,"temperature":0}""");
        JsonObject second = await silo.Http.PostAsync(Path, """{"conversation":{"id":"held-by-responses"},"input":"two","max_output_tokens":2,"temperature":0}""");

        Assert.Equal("held-by-responses", (string)second["conversation"]!["id"]!);
        JsonObject view = await silo.Http.GetJsonAsync("/v1/conversations/held-by-responses");
        Assert.Equal(["user", "assistant", "user", "assistant"], view["messages"]!.AsArray().Select(message => (string)message!["role"]!));
        Assert.Equal(Text(first), Text(await silo.Http.GetJsonAsync($"{Path}/{first["id"]}")));
        Assert.Equal((int)second["usage"]!["total_tokens"]!, (int)(await silo.Http.GetJsonAsync($"{Path}/{second["id"]}"))["usage"]!["total_tokens"]!);
        JsonObject fork = await FollowAsync((string)first["id"]!, "another way");
        Assert.Equal(3, (await silo.Http.GetJsonAsync($"{Path}/{fork["id"]}/input_items"))["data"]!.AsArray().Count);
        await silo.Http.SendJsonAsync(HttpMethod.Delete, $"{Path}/{first["id"]}", null, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task InputItemsComeInPages()
    {
        JsonObject made = await silo.Http.PostAsync(Path, """
            {"input":[{"role":"developer","content":"d"},{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]},
             {"type":"reasoning","id":"r","summary":[]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"c","annotations":[]}]},{"role":"user","content":"e"}],"max_output_tokens":2}
            """);
        string path = $"{Path}/{made["id"]}/input_items";

        JsonObject newest = await silo.Http.GetJsonAsync(path + "?limit=3");
        Assert.Equal(["e", "c", "ab"], newest["data"]!.AsArray().Select(item => (string)item!["content"]![0]!["text"]!));
        Assert.True((bool)newest["has_more"]!);
        JsonObject rest = await silo.Http.GetJsonAsync(path + $"?limit=3&after={newest["last_id"]}");
        Assert.Equal(["d"], rest["data"]!.AsArray().Select(item => (string)item!["content"]![0]!["text"]!));
        Assert.False((bool)rest["has_more"]!);
        await silo.Http.GetJsonAsync(path + "?limit=0", HttpStatusCode.BadRequest);
        await silo.Http.GetJsonAsync(path + "?after=nothing", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task LogProbabilitiesComeWhenTheyAreAskedFor()
    {
        JsonObject made = await silo.Http.PostAsync(Path, """{"input":"Hi","max_output_tokens":4,"temperature":0,"top_logprobs":2,"include":["message.output_text.logprobs"]}""");
        JsonArray tokens = made["output"]![0]!["content"]![0]!["logprobs"]!.AsArray();

        Assert.NotEmpty(tokens);
        Assert.All(tokens, token => Assert.Equal(2, token!["top_logprobs"]!.AsArray().Count));
    }

    [Theory]
    [InlineData("""{}""", "input")]
    [InlineData("""{"input":[]}""", "input")]
    [InlineData("""{"input":7}""", "input")]
    [InlineData("""{"input":[{"role":"tool","content":"x"}]}""", "input[0].role")]
    [InlineData("""{"input":[{"type":"message","role":"user","content":[{"type":"input_image","image_url":"x"}]}]}""", "input[0].content[0].image_url")]
    [InlineData("""{"input":[{"type":"message","role":"user","content":[{"type":"input_image"}]}]}""", "input[0].content[0]")]
    [InlineData("""{"input":"x","max_output_tokens":0}""", "max_output_tokens")]
    [InlineData("""{"input":"x","top_logprobs":21}""", "top_logprobs")]
    [InlineData("""{"input":"x","temperature":3}""", "temperature")]
    [InlineData("""{"input":"x","include":["file_search_call.results"]}""", "include")]
    [InlineData("""{"input":"x","conversation":"c","previous_response_id":"resp_1"}""", "previous_response_id")]
    [InlineData("""{"input":"x","conversation":"not allowed!"}""", "conversation")]
    [InlineData("""{"input":"x","truncation":"always"}""", "truncation")]
    [InlineData("""{"input":"x","background":true}""", "background")]
    [InlineData("""{"input":"x","previous_respons_id":"y"}""", "previous_respons_id")]
    public async Task AFaultNamesItsParameter(string body, string param)
    {
        JsonObject answer = await silo.Http.PostAsync(Path, body, HttpStatusCode.BadRequest);
        Assert.Equal(param, (string?)answer["error"]!["param"]);
    }

    [Fact]
    public async Task WhatIsNotThereIsNotFoundAndWhatIsCompleteIsNotCancelled()
    {
        await silo.Http.GetJsonAsync(Path + "/resp_nothing", HttpStatusCode.NotFound);
        await silo.Http.GetJsonAsync(Path + "/other", HttpStatusCode.NotFound);
        await silo.Http.PostAsync(Path, """{"input":"x","previous_response_id":"resp_nothing"}""", HttpStatusCode.NotFound);
        string id = (string)(await silo.Http.PostAsync(Path, """{"input":"x","max_output_tokens":1}"""))["id"]!;
        await silo.Http.SendJsonAsync(HttpMethod.Post, $"{Path}/{id}/cancel", null, HttpStatusCode.BadRequest);
        await silo.Http.SendJsonAsync(HttpMethod.Post, $"{Path}/resp_nothing/cancel", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task AFollowingTurnThatIsRefusedLeavesNothingStored()
    {
        string id = (string)(await silo.Http.PostAsync(Path, """{"input":"short","max_output_tokens":2}"""))["id"]!;
        int before = (await ListAsync()).Count;
        string text = string.Concat(Enumerable.Repeat("word ", 9000));
        JsonObject refused = await silo.Http.PostAsync(Path, $$"""{"input":"{{text}}","previous_response_id":"{{id}}"}""", HttpStatusCode.BadRequest);

        Assert.Equal("context_length_exceeded", (string)refused["error"]!["code"]!);
        Assert.Equal(before, (await ListAsync()).Count);
    }

    private static string Text(JsonObject response) => (string)response["output"]![0]!["content"]![0]!["text"]!;

    private Task<JsonObject> FollowAsync(string id, string input) =>
        silo.Http.PostAsync(Path, $$"""{"input":"{{input}}","previous_response_id":"{{id}}","max_output_tokens":3,"temperature":0}""");

    private async Task<JsonArray> ListAsync() => (await silo.Http.GetJsonAsync("/v1/conversations?limit=1000"))["data"]!.AsArray();

    private async Task<List<(string Name, JsonObject Data)>> EventsAsync(string body)
    {
        using HttpResponseMessage response = await silo.Http.PostAsync(Path, new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        await using Stream stream = await response.Content.ReadAsStreamAsync();
        return [.. (await SseParser.Create(stream).EnumerateAsync().ToListAsync()).Select(item => (item.EventType, JsonNode.Parse(item.Data)!.AsObject()))];
    }
}
