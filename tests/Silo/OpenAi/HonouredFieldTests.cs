using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

/// <summary>Fields beyond OpenAI's own do what they say: each was silently ignored once.</summary>
[Collection(SiloCollection.Name)]
public sealed class HonouredFieldTests(SharedSilo silo)
{
    private const string Chat = "/v1/chat/completions";
    private const string Text = "/v1/completions";

    [Theory]
    [InlineData("")]
    [InlineData(""", "conversation":"salted-SALT" """)]
    public async Task TwoSaltsShareNothing(string conversation)
    {
        string marker = conversation.Length == 0 ? "Zero" : "Just one";
        Task<JsonObject> Ask(string salt) => silo.Http.PostAsync(Chat, $$"""
            {"messages":[{"role":"user","content":"{{marker}} conversation: a prompt that is long enough for a few blocks of the cache."}],"max_tokens":2,"cache_salt":"{{marker}} {{salt}}"{{conversation.Replace("SALT", salt)}} }
            """);
        Assert.Equal(0, Cached(await Ask("one")));
        JsonObject again = await Ask("one");
        JsonObject other = await Ask("two");
        JsonObject unsalted = await silo.Http.PostAsync(Chat, $$"""{"messages":[{"role":"user","content":"{{marker}} conversation: a prompt that is long enough for a few blocks of the cache."}],"max_tokens":2}""");

        Assert.Equal((int)again["usage"]!["prompt_tokens"]! - 1, Cached(again));
        Assert.Equal(0, Cached(other));
        // What every chat begins with may be there from another test's.
        Assert.InRange(Cached(unsalted), 0, Opening());
    }

    [Fact]
    public async Task AConversationKeepsItsSaltAndItsForkToo()
    {
        const string History = """[{"role":"user","content":"Something that is said under a salt, and is long enough for some blocks."}]""";
        await silo.Http.PostAsync(Chat, $$"""{"messages":{{History}},"max_tokens":2,"cache_salt":"kept","conversation":"keeps-its-salt"}""");
        JsonObject without = await silo.Http.PostAsync(Chat, $$"""{"messages":{{History}},"max_tokens":2,"conversation":"keeps-its-salt"}""");
        JsonObject refused = await silo.Http.PostAsync(
            Chat, $$"""{"messages":{{History}},"max_tokens":2,"cache_salt":"another","conversation":"keeps-its-salt"}""", System.Net.HttpStatusCode.BadRequest);
        await silo.Http.PostAsync("/v1/conversations/keeps-its-salt/fork", """{"id":"fork-of-salted","at":1}""", System.Net.HttpStatusCode.Created);
        JsonObject fork = await silo.Http.PostAsync("/v1/conversations/fork-of-salted/regenerate", """{"options":{"max_tokens":2}}""");

        Assert.Equal((int)without["usage"]!["prompt_tokens"]! - 1, Cached(without));
        Assert.Equal("cache_salt", (string)refused["error"]!["param"]!);
        Assert.Equal((int)fork["usage"]!["prompt_tokens"]! - 1, (int)fork["kvtiers"]!["cached"]!["hot"]!);
    }

    [Fact]
    public async Task WithoutThePromptsCacheEverythingIsComputedAndNothingIsLeft()
    {
        const string Body = """{"prompt":"Þorn: a text that is sent three times, twice of them past the cache.","max_tokens":1,"cache_prompt":""";
        await silo.Http.PostAsync(Text, Body + "false}");
        JsonObject second = await silo.Http.PostAsync(Text, Body + "true}");
        JsonObject third = await silo.Http.PostAsync(Text, Body + "false}");

        Assert.Equal(0, Cached(second));
        Assert.Equal(0, Cached(third));
    }

    [Fact]
    public async Task NothingEndsAnAnswerBeforeItsLeastNumberOfTokens()
    {
        string first = silo.Model.Tokenizer.Decode([Greedy(await AskAsync("\"max_tokens\":1,\"logprobs\":true"))]);
        string end = string.Join(',', Enumerable.Range(0, silo.Model.Config.Vocabulary).Select(id => $"\"{id}\":{(silo.Model.EndsText(id) ? 100 : 0)}"));
        JsonObject ended = await AskAsync($"\"max_tokens\":6,\"logit_bias\":{{{end}}}");
        JsonObject banned = await AskAsync($"\"max_tokens\":6,\"min_tokens\":4,\"logit_bias\":{{{end}}}");
        JsonObject stopped = await AskAsync($"\"max_tokens\":6,\"min_tokens\":6,\"stop\":[{JsonValue.Create(first)!.ToJsonString()}]");

        Assert.Equal(1, (int)ended["usage"]!["completion_tokens"]!);
        Assert.Equal(5, (int)banned["usage"]!["completion_tokens"]!);
        Assert.Equal("stop", Reason(banned));
        Assert.Equal(6, (int)stopped["usage"]!["completion_tokens"]!);
        Assert.Equal("length", Reason(stopped));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","conversation":"past-the-end" """)]
    public async Task AnAnswerGoesOnPastTheEndOfTheText(string conversation)
    {
        int end = Enumerable.Range(0, silo.Model.Config.Vocabulary).First(silo.Model.EndsText);
        JsonObject answer = await AskAsync($"\"max_tokens\":5,\"ignore_eos\":true,\"logit_bias\":{{\"{end}\":100}}{conversation}");

        Assert.Equal(5, (int)answer["usage"]!["completion_tokens"]!);
        Assert.Equal("length", Reason(answer));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","conversation":"stopped-by-token" """)]
    public async Task AStopTokenEndsTheAnswerAndItsTextIsLeftOutUnlessAskedFor(string conversation)
    {
        int id = silo.Model.Tokenizer.Encode("e", addSpecial: false)[0];
        string body = $"\"max_tokens\":5,\"stop_token_ids\":[{id}],\"logit_bias\":{{\"{id}\":100}}";
        JsonObject without = await AskAsync(body + conversation);
        JsonObject with = await AskAsync(body + ",\"include_stop_str_in_output\":true" + conversation);

        Assert.Equal(("", "stop", 1), (Content(without), Reason(without), (int)without["usage"]!["completion_tokens"]!));
        Assert.Equal(("e", "stop", 1), (Content(with), Reason(with), (int)with["usage"]!["completion_tokens"]!));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","conversation":"with-its-stop" """)]
    public async Task AStopStringIsTheEndOfTheAnswerWhereAskedFor(string conversation)
    {
        string whole = Content(await AskAsync("\"max_tokens\":40,\"seed\":5"));
        string stop = whole.Substring(whole.Length / 2, 3);
        JsonObject answer = await AskAsync($"\"max_tokens\":40,\"seed\":5,\"include_stop_str_in_output\":true,\"stop\":[{JsonValue.Create(stop)!.ToJsonString()}]{conversation}");

        Assert.Equal(whole[..(whole.IndexOf(stop, StringComparison.Ordinal) + stop.Length)], Content(answer));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","conversation":"no-bad-words" """)]
    public async Task ABadWordNeverComesHoweverItIsCutIntoTokens(string conversation)
    {
        string whole = Content(await AskAsync($"\"max_tokens\":60,\"seed\":8,{silo.LettersOnly}"));
        string[] bad = [whole.Substring(whole.Length / 3, 1), whole.Substring(whole.Length / 2, 2)];
        string words = new JsonArray([.. bad.Select(word => JsonValue.Create(word))]).ToJsonString();
        for (int seed = 0; seed < 8; seed++)
        {
            string text = Content(await AskAsync($"\"max_tokens\":60,\"seed\":{seed},{silo.LettersOnly},\"bad_words\":{words}{conversation}"));
            Assert.All(bad, word => Assert.DoesNotContain(word, text));
        }

        Assert.Contains(bad[0], whole);
    }

    [Fact]
    public async Task AMessageIsGoneOnWithAsIfItHadJustBeenGenerated()
    {
        string whole = Content(await AskAsync("\"max_tokens\":8,\"temperature\":0"));
        int[] prompt = silo.Model.Chat.Encode([new("user", "Say")], addGenerationPrompt: true).Ids;
        int[] open = silo.Model.Chat.EncodeOpen([new("user", "Say"), new("assistant", "He")]);
        JsonObject continued = await silo.Http.PostAsync(
            Chat, """{"messages":[{"role":"user","content":"Say"},{"role":"assistant","content":"He"}],"continue_final_message":true,"max_tokens":2}""");
        JsonObject last = await silo.Http.PostAsync(Chat, """{"messages":[{"role":"user","content":"Say"}],"add_generation_prompt":false,"max_tokens":2}""");

        Assert.NotEmpty(whole);
        Assert.Equal([.. prompt, .. silo.Model.Tokenizer.Encode("He", parseSpecial: false, addSpecial: false)], open);
        Assert.Equal(open.Length, (int)continued["usage"]!["prompt_tokens"]!);
        Assert.Equal(prompt.Length - silo.Model.Chat.GenerationPromptIds.Count, (int)last["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task APromptIsShortenedFromItsBeginning()
    {
        int[] ids = silo.Model.Tokenizer.Encode("one two three four five six");
        JsonObject answer = await silo.Http.PostAsync(Text, """{"prompt":"one two three four five six","truncate_prompt_tokens":3,"echo":true,"max_tokens":0}""");
        string huge = string.Concat(Enumerable.Repeat("far too long ", 4_000));
        JsonObject fitted = await silo.Http.PostAsync(Text, $$"""{"prompt":"{{huge}}","truncate_prompt_tokens":-1,"max_tokens":5}""");

        Assert.Equal(silo.Model.Tokenizer.Decode(ids.AsSpan()[^3..], skipSpecial: false), (string)answer["choices"]![0]!["text"]!);
        Assert.Equal(3, (int)answer["usage"]!["prompt_tokens"]!);
        Assert.Equal(4096, (int)fitted["usage"]!["total_tokens"]!);
    }

    [Fact]
    public async Task ThePromptsOwnProbabilitiesComeByTokenId()
    {
        int[] ids = silo.Model.Tokenizer.Encode("score this");
        JsonObject text = await silo.Http.PostAsync(Text, """{"prompt":"score this","max_tokens":1,"prompt_logprobs":2}""");
        JsonObject chat = await AskAsync("\"max_tokens\":1,\"prompt_logprobs\":1");

        JsonArray all = text["choices"]![0]!["prompt_logprobs"]!.AsArray();
        Assert.Equal(ids.Length, all.Count);
        Assert.Null(all[0]);
        for (int i = 1; i < ids.Length; i++)
        {
            JsonObject place = all[i]!.AsObject();
            Assert.InRange(place.Count, 2, 3);
            JsonObject own = place[$"{ids[i]}"]!.AsObject();
            Assert.True((double)own["logprob"]! < 0);
            Assert.Equal(place.Count(other => (double)other.Value!["logprob"]! > (double)own["logprob"]!) + 1, Math.Min((int)own["rank"]!, 3));
            Assert.Contains(place, other => (int)other.Value!["rank"]! == 1);
        }

        Assert.Equal((int)chat["usage"]!["prompt_tokens"]!, chat["prompt_logprobs"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("\"max_tokens\":3", "\"n_predict\":3")]
    [InlineData("\"max_tokens\":8,\"temperature\":0,\"repetition_penalty\":1.5", "\"max_tokens\":8,\"temperature\":0,\"repeat_penalty\":1.5")]
    [InlineData("\"max_tokens\":3", "\"max_tokens\":3,\"n_predict\":3")]
    public async Task AnotherNameIsTheSameField(string ours, string theirs) =>
        Assert.Equal(Content(await AskAsync("\"seed\":1," + ours)), Content(await AskAsync("\"seed\":1," + theirs)));

    private int Opening() => silo.Model.Chat.Encode([new("user", "a")], true).Ids.AsSpan().CommonPrefixLength(silo.Model.Chat.Encode([new("user", "b")], true).Ids);

    private static int Cached(JsonObject answer) => (int)answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]!;

    private static string Content(JsonObject answer) => (string)answer["choices"]![0]!["message"]!["content"]!;

    private static string Reason(JsonObject answer) => (string)answer["choices"]![0]!["finish_reason"]!;

    private int Greedy(JsonObject answer) => silo.Model.Tokenizer.Encode((string)answer["choices"]![0]!["logprobs"]!["content"]![0]!["token"]!, addSpecial: false)[0];

    private Task<JsonObject> AskAsync(string parameters) => silo.Http.PostAsync(Chat, $$"""{"messages":[{"role":"user","content":"Say"}],{{parameters}} }""");
}
