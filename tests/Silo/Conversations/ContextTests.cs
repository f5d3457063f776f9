using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Conversations;

/// <summary>Chats that outgrow the model's context of 4,096 tokens, over every API.</summary>
[Collection(SiloCollection.Name)]
public sealed class ContextTests(SharedSilo silo)
{
    [Fact]
    public async Task AConversationGoesOnAndSaysWhatItLeftOut()
    {
        string id = await CreateAsync("{}");
        JsonObject? cut = null;
        for (int turn = 0; cut is null && turn < 20; turn++)
        {
            JsonObject answer = await TurnAsync(id, turn);
            cut = answer["usage"]!["cut"]?.AsObject();
            Assert.Equal(cut?.ToJsonString(), answer["kvtiers"]!["cut"]?.ToJsonString());
        }

        Assert.Equal(("drop_oldest", 4096, 4), ((string)cut!["policy"]!, (int)cut["context_tokens"]!, (int)cut["answer_reserve"]!));
        JsonObject view = await silo.Http.GetJsonAsync("/v1/conversations/" + id);
        Assert.Equal((int)cut["messages_dropped"]!, (int)view["context"]!["dropped_messages"]!);
        JsonArray messages = view["messages"]!.AsArray();
        Assert.Equal((int)cut["messages_dropped"]!, messages.Count(message => message!["dropped_at"] is not null));
        Assert.Equal((long)view["version"]!, (long)messages[0]!["dropped_at"]!);
        Assert.StartsWith("Turn 0 of " + id, (string)messages[0]!["content"]!);
        Assert.Equal("cut", (string)(await silo.Http.GetJsonAsync($"/v1/conversations/{id}/explain"))["reason"]!);
        Assert.Contains("kvtiers_silo_context_cuts_total{", await silo.Http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AConversationThatRefusesSaysWhatCanBeDoneAndATurnMayDoIt()
    {
        string id = await CreateAsync("""{"context_policy":"refuse"}""");
        Assert.Equal("refuse", (string)(await silo.Http.GetJsonAsync("/v1/conversations/" + id))["context_policy"]!);
        int turn = 0;
        for (int tokens = 0; tokens < 3500; turn++)
            tokens = (int)(await TurnAsync(id, turn))["usage"]!["prompt_tokens"]!;
        JsonObject refused = await TurnAsync(id, turn, status: HttpStatusCode.BadRequest);
        Assert.Equal("context_length_exceeded", (string)refused["error"]!["code"]!);
        Assert.Contains("\"truncation\": \"auto\"", (string)refused["error"]!["message"]!, StringComparison.Ordinal);

        Assert.NotNull((await TurnAsync(id, turn, """,  "truncation":"auto" """))["usage"]!["cut"]);
        Assert.Equal("refuse", (string)(await silo.Http.GetJsonAsync("/v1/conversations/" + id))["context_policy"]!);
        await TurnAsync(id, turn + 1, """, "context_policy":"keep_ends" """);
        Assert.Equal("keep_ends", (string)(await silo.Http.GetJsonAsync("/v1/conversations/" + id))["context_policy"]!);
    }

    [Fact]
    public async Task AnAnswerThatTheContextEndsSaysSo()
    {
        string id = await CreateAsync("""{"context_policy":"refuse"}""");
        string eos = string.Join(',', silo.Model.Tokenizer.EndOfText.Select(token => $$"""{"id":{{token}},"bias":-100}"""));
        JsonObject answer = await silo.Http.PostAsync($"/v1/conversations/{id}/turns", $$"""
            {"messages":[{"role":"user","content":"{{Long($"Endless {id}", 4000)}}"}],"options":{"logit_bias":[{{eos}}],"max_tokens":1000} }
            """);
        Assert.Equal(("length", "context", "context"), ((string)answer["finish_reason"]!, (string)answer["usage"]!["limited_by"]!, (string)answer["kvtiers"]!["limited_by"]!));
    }

    [Fact]
    public async Task AChatWithoutAConversationIsShortenedOnlyWhenItAsksForThat()
    {
        const string Path = "/v1/chat/completions";
        string start = Guid.NewGuid().ToString();
        string messages = string.Join(',', Enumerable.Range(0, 12).Select(turn => $$"""
            {"role":"user","content":"{{Long($"{start} {turn}", 400)}}"},{"role":"assistant","content":"I see."}
            """));
        string Chat(string more) => $$"""{"messages":[{"role":"system","content":"{{start}} Be kind."},{{messages}},{"role":"user","content":"And now?"}],"max_tokens":4,"temperature":0{{more}}}""";
        Assert.Equal("context_length_exceeded", (string)(await silo.Http.PostAsync(Path, Chat(""), HttpStatusCode.BadRequest))["error"]!["code"]!);
        Assert.Equal("truncation", (string)(await silo.Http.PostAsync(Path, Chat(""","truncation":"always" """), HttpStatusCode.BadRequest))["error"]!["param"]!);
        Assert.Equal("truncate_prompt_tokens", (string)(await silo.Http.PostAsync(Path, Chat(""","truncation":"auto","truncate_prompt_tokens":5"""), HttpStatusCode.BadRequest))["error"]!["param"]!);

        JsonObject answer = await silo.Http.PostAsync(Path, Chat(""","truncation":"auto" """));
        JsonObject cut = answer["kvtiers"]!["cut"]!.AsObject();
        Assert.Equal((int)answer["usage"]!["prompt_tokens"]!, (int)cut["prompt_tokens"]!);
        Assert.True((int)cut["prompt_tokens"]! + 4 <= 4096);

        // The same messages are left out of the next request, which finds all but what is new.
        messages += """,{"role":"user","content":"And now?"},{"role":"assistant","content":"Well."}""";
        JsonObject next = await silo.Http.PostAsync(Path, Chat(""","truncation":"auto" """));
        Assert.Equal((int)cut["messages_dropped"]!, (int)next["kvtiers"]!["cut"]!["messages_dropped"]!);
        Assert.True((int)next["kvtiers"]!["cached"]!["hot"]! >= (int)cut["prompt_tokens"]! - 20);
    }

    [Fact]
    public async Task AResponseIsShortenedOnlyWhenItAsksForThat()
    {
        const string Path = "/v1/responses";
        string start = Guid.NewGuid().ToString();
        string? previous = null;
        for (int turn = 0; turn < 7; turn++)
            previous = (string)(await silo.Http.PostAsync(Path, Body(turn, "")))["id"]!;
        JsonObject refused = await silo.Http.PostAsync(Path, Body(7, ""), HttpStatusCode.BadRequest);
        Assert.Equal(("context_length_exceeded", "input"), ((string)refused["error"]!["code"]!, (string)refused["error"]!["param"]!));

        JsonObject answer = await silo.Http.PostAsync(Path, Body(7, ""","truncation":"auto" """));
        Assert.Equal("auto", (string)answer["truncation"]!);
        Assert.NotNull(answer["kvtiers"]!["cut"]);
        Assert.Equal("auto", (string)(await silo.Http.GetJsonAsync($"{Path}/{(string)answer["id"]!}"))["truncation"]!);
        previous = (string)answer["id"]!;
        JsonObject next = await silo.Http.PostAsync(Path, Body(8, ""));
        Assert.Equal(("disabled", null), ((string)next["truncation"]!, next["kvtiers"]!["cut"]));
        JsonObject unstored = await silo.Http.PostAsync(Path, Body(9, ""","truncation":"auto","store":false"""));
        Assert.NotNull(unstored["kvtiers"]!["cut"]);

        string Body(int turn, string more) =>
            $$"""{"input":"{{Long($"{start} {turn}", 500)}}","max_output_tokens":4,"temperature":0{{(previous is null ? "" : $",\"previous_response_id\":\"{previous}\"")}}{{more}}}""";
    }

    [Fact]
    public async Task AMessageThatIsTooLongIsToldInAnthropicsWords()
    {
        JsonObject refused = await silo.Http.PostAsync("/v1/messages", $$"""{"messages":[{"role":"user","content":"{{Long("Too long", 5000)}}"}],"max_tokens":4}""", HttpStatusCode.BadRequest);
        Assert.Matches("^prompt is too long: [0-9]+ tokens > 4095 maximum$", (string)refused["error"]!["message"]!);
    }

    private async Task<string> CreateAsync(string body) => (string)(await silo.Http.PostAsync("/v1/conversations", body, HttpStatusCode.Created))["id"]!;

    private Task<JsonObject> TurnAsync(string id, int turn, string more = "", HttpStatusCode status = HttpStatusCode.OK) => silo.Http.PostAsync(
        $"/v1/conversations/{id}/turns", $$"""{"messages":[{"role":"user","content":"{{Long($"Turn {turn} of {id}", 500)}}"}],"options":{"max_tokens":4,"temperature":0}{{more}}}""", status);

    // About so many tokens.
    private string Long(string start, int tokens)
    {
        const string More = " and so on";
        int each = silo.Model.Tokenizer.Encode(More + More, addSpecial: false).Length - silo.Model.Tokenizer.Encode(More, addSpecial: false).Length;
        int rest = tokens - silo.Model.Tokenizer.Encode(start, addSpecial: false).Length;
        return start + string.Concat(Enumerable.Repeat(More, Math.Max(0, rest / each)));
    }
}
