using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

[Collection(SiloCollection.Name)]
public sealed class BadRequestTests(SharedSilo silo)
{
    private const string Messages = """ "messages":[{"role":"user","content":"x"}] """;

    [Theory]
    [InlineData("""{"messages":[""", null, "invalid_json")]
    [InlineData("", null, "invalid_json")]
    [InlineData("not json", null, "invalid_json")]
    [InlineData("[]", null, "invalid_type")]
    [InlineData("null", null, "invalid_type")]
    [InlineData("{}", "messages", "missing_required_parameter")]
    [InlineData("""{"messages":[]}""", "messages", "invalid_value")]
    [InlineData("""{"messages":"hi"}""", "messages", "invalid_type")]
    [InlineData("""{"messages":[null]}""", "messages[0]", "invalid_type")]
    [InlineData("""{"messages":[{"content":"x"}]}""", "messages[0].role", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"wizard","content":"x"}]}""", "messages[0].role", "invalid_value")]
    [InlineData("""{"messages":[{"role":"tool","content":"x"}]}""", "messages[0].tool_call_id", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"function","content":"x"}]}""", "messages[0].role", "unsupported_parameter")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "messages[0].content", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":null}]}""", "messages[0].content", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":5}]}""", "messages[0].content", "invalid_type")]
    [InlineData("""{"messages":[{"role":"user","content":"\ud800"}]}""", "messages[0].content", "invalid_text")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", "messages[0].content[0].image_url", "unsupported_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}""", "messages[0].content[0].type", "unsupported_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text"}]}]}""", "messages[0].content[0].text", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":[7]}]}""", "messages[0].content[0]", "invalid_type")]
    [InlineData("""{"messages":[{"role":"assistant","content":"x","tool_calls":[{"id":"1"}]}]}""", "messages[0].tool_calls[0].function", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"assistant","content":"x","tool_calls":[{"function":{"name":"f"}}]}]}""", "messages[0].tool_calls[0].id", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"assistant","content":"x","tool_calls":[{"id":"1","type":"custom","function":{"name":"f"}}]}]}""", "messages[0].tool_calls[0].type", "unsupported_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":"x","tool_call_id":"1"}]}""", "messages[0].tool_call_id", "invalid_value")]
    [InlineData("""{"messages":[{"role":"user","content":"x","reasoning_content":"1"}]}""", "messages[0].reasoning_content", "invalid_value")]
    public async Task AWrongBodyIsRefused(string body, string? param, string? code) => await RefusedAsync("/v1/chat/completions", body, param, code);

    [Theory]
    [InlineData("\"temperature\":-0.1", "temperature")]
    [InlineData("\"temperature\":2.1", "temperature")]
    [InlineData("\"temperature\":\"hot\"", "temperature")]
    [InlineData("\"temperature\":1e999", "temperature")]
    [InlineData("\"top_p\":1.1", "top_p")]
    [InlineData("\"top_p\":-1", "top_p")]
    [InlineData("\"top_k\":-1", "top_k")]
    [InlineData("\"min_p\":2", "min_p")]
    [InlineData("\"repetition_penalty\":0", "repetition_penalty")]
    [InlineData("\"presence_penalty\":-2.5", "presence_penalty")]
    [InlineData("\"frequency_penalty\":2.5", "frequency_penalty")]
    [InlineData("\"max_tokens\":0", "max_tokens")]
    [InlineData("\"max_tokens\":-5", "max_tokens")]
    [InlineData("\"max_tokens\":-2", "max_tokens")]
    [InlineData("\"max_tokens\":99999999999999999999", "max_tokens")]
    [InlineData("\"max_tokens\":1.5", "max_tokens")]
    [InlineData("\"max_completion_tokens\":0", "max_completion_tokens")]
    [InlineData("\"n\":0", "n")]
    [InlineData("\"n\":129", "n")]
    [InlineData("\"n\":2,\"conversation\":\"c\"", "n")]
    [InlineData("\"conversation\":\"a b\"", "conversation")]
    [InlineData("\"conversation\":{\"id\":\"a b\"}", "conversation.id")]
    [InlineData("\"conversation\":{}", "conversation.id")]
    [InlineData("\"conversation\":\"c\",\"continue_final_message\":true", "continue_final_message")]
    [InlineData("\"conversation\":\"c\",\"add_generation_prompt\":false", "add_generation_prompt")]
    [InlineData("\"conversation\":\"c\",\"truncate_prompt_tokens\":5", "truncate_prompt_tokens")]
    [InlineData("\"conversation\":\"c\",\"prompt_logprobs\":1", "prompt_logprobs")]
    [InlineData("\"conversation\":\"c\",\"chat_template_kwargs\":{\"a\":1}", "chat_template_kwargs")]
    [InlineData("\"chat_template_kwargs\":{\"messages\":[]}", "chat_template_kwargs.messages")]
    [InlineData("\"chat_template_kwargs\":{\"bos_token\":\"x\"}", "chat_template_kwargs.bos_token")]
    [InlineData("\"chat_template_kwargs\":{\"tools\":[]}", "chat_template_kwargs.tools")]
    [InlineData("\"continue_final_message\":true,\"add_generation_prompt\":true", "continue_final_message")]
    [InlineData("\"max_tokens\":5,\"n_predict\":6", "n_predict")]
    [InlineData("\"n_predict\":0", "n_predict")]
    [InlineData("\"repeat_penalty\":1.1,\"repetition_penalty\":1.2", "repeat_penalty")]
    [InlineData("\"cache_salt\":\"\"", "cache_salt")]
    [InlineData("\"min_tokens\":-1", "min_tokens")]
    [InlineData("\"min_tokens\":6,\"max_tokens\":5", "min_tokens")]
    [InlineData("\"stop_token_ids\":[640]", "stop_token_ids")]
    [InlineData("\"stop_token_ids\":[-1]", "stop_token_ids")]
    [InlineData("\"bad_words\":[\"\"]", "bad_words")]
    [InlineData("\"bad_words\":\"word\"", "bad_words")]
    [InlineData("\"truncate_prompt_tokens\":0", "truncate_prompt_tokens")]
    [InlineData("\"prompt_logprobs\":21", "prompt_logprobs")]
    [InlineData("\"prompt_logprobs\":1,\"stream\":true", "prompt_logprobs")]
    [InlineData("\"top_logprobs\":2", "top_logprobs")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":21", "top_logprobs")]
    [InlineData("\"logit_bias\":{\"x\":1}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"640\":1}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"5\":101}", "logit_bias")]
    [InlineData("\"stop\":\"\"", "stop")]
    [InlineData("\"stop\":[1]", "stop")]
    [InlineData("\"stream_options\":{\"include_usage\":true}", "stream_options")]
    [InlineData("\"seed\":\"x\"", "seed")]
    public async Task AParameterOutOfRangeIsNamed(string parameter, string param) =>
        await RefusedAsync("/v1/chat/completions", $"{{{Messages},{parameter}}}", param, null, anyCode: true);

    [Theory]
    [InlineData("""[{"type":"function"}]""", "null", "tools[0].function", null)]
    [InlineData("""[{"function":{"name":"f"}}]""", "null", "tools[0].type", null)]
    [InlineData("""[{"type":"web_search"}]""", "null", "tools[0].type", null)]
    [InlineData("""[{"type":"function","function":{"name":"a b"}}]""", "null", "tools[0].function.name", "'tools[0].function.name' is 'a b'; it must be 1 to 128 letters, digits")]
    [InlineData("""[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"f"}}]""", "null", "tools[1].function.name", "'f' again; it must be a name that no other function has.")]
    [InlineData("""[{"type":"function","function":{"name":"f"}}]""", "\"sometimes\"", "tool_choice", "'tool_choice' is 'sometimes'; it must be none, auto or required, or an object.")]
    [InlineData("""[{"type":"function","function":{"name":"f"}}]""", """{"type":"function","function":{"name":"g"}}""", "tool_choice", "holding 'g'")]
    [InlineData("""[{"type":"function","function":{"name":"f"}}]""", """{"type":"allowed_tools","allowed_tools":{"mode":"none","tools":[]}}""", "tool_choice.allowed_tools.mode", null)]
    [InlineData("""[{"type":"function","function":{"name":"f"}}]""", """{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}""", "tool_choice", "'tool_choice' is empty")]
    [InlineData("[]", "\"required\"", "tool_choice", "it must be none or auto then.")]
    public async Task AWrongFunctionIsNamed(string tools, string choice, string param, string? message)
    {
        JsonObject refused = await silo.Http.PostAsync("/v1/chat/completions", $$"""{ {{Messages}},"tools":{{tools}},"tool_choice":{{choice}}}""", HttpStatusCode.BadRequest);
        Assert.Equal(param, (string?)refused["error"]!["param"]);
        if (message is not null) Assert.Contains(message, (string?)refused["error"]!["message"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"functions\":[{}]", "functions")]
    [InlineData("\"modalities\":[\"audio\"]", "modalities")]
    [InlineData("\"audio\":{\"voice\":\"x\"}", "audio")]
    [InlineData("\"reasoning_effort\":\"high\"", "reasoning_effort")]
    public async Task WhatIsNotSupportedIsRefusedByName(string parameter, string param) =>
        await RefusedAsync("/v1/chat/completions", $"{{{Messages},{parameter}}}", param, "unsupported_parameter");

    [Fact]
    public async Task FieldsThatAskForNothingPass() =>
        await silo.Http.PostAsync(
            "/v1/chat/completions",
            $$"""{ {{Messages}},"max_tokens":1,"tools":[],"tool_choice":"auto","response_format":{"type":"text"},"modalities":["text"],"audio":null,"user":"u","metadata":{},"store":false,"logit_bias":null}""");

    [Theory]
    [InlineData("\"max_tokens\":4096")]
    [InlineData("\"max_tokens\":-1,\"stop_token_ids\":[1,2,3,4,5,6,7,8,9]")]
    [InlineData("\"max_completion_tokens\":9999999999")]
    public async Task ALimitAboveTheContextIsWhatTheContextLeaves(string parameter)
    {
        string text = string.Concat(Enumerable.Repeat("many words ", 550));
        JsonObject answer = await silo.Http.PostAsync("/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"{{text}}"}],{{parameter}}}""");

        Assert.InRange((int)answer["usage"]!["total_tokens"]!, 2, 4096);
    }

    [Fact]
    public async Task APromptCacheKeyIsAHintThatNeverFails()
    {
        foreach (string key in (string[])["\"\"", "\"with spaces and @\"", $"\"{new string('k', 2_000)}\"", "5", "{}"])
            await silo.Http.PostAsync("/v1/chat/completions", $$"""{ {{Messages}},"max_tokens":1,"n":2,"prompt_cache_key":{{key}} }""");
        JsonObject named = await silo.Http.PostAsync("/v1/chat/completions", $$"""{ {{Messages}},"max_tokens":1,"prompt_cache_key":"a-hint" }""");

        Assert.False(named["kvtiers"]!.AsObject().ContainsKey("conversation"));
        await silo.Http.GetJsonAsync("/v1/conversations/a-hint", HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("{}", "prompt")]
    [InlineData("""{"prompt":""}""", "prompt")]
    [InlineData("""{"prompt":[]}""", "prompt")]
    [InlineData("""{"prompt":[[]]}""", "prompt")]
    [InlineData("""{"prompt":5}""", "prompt")]
    [InlineData("""{"prompt":[1,640]}""", "prompt[1]")]
    [InlineData("""{"prompt":[1,-1]}""", "prompt[1]")]
    [InlineData("""{"prompt":["a",1]}""", "prompt[1]")]
    [InlineData("""{"prompt":[[1],["a"]]}""", "prompt[1][0]")]
    [InlineData("""{"prompt":"x","logprobs":21}""", "logprobs")]
    [InlineData("""{"prompt":"x","max_tokens":0}""", "max_tokens")]
    [InlineData("""{"prompt":"x","suffix":"y"}""", "suffix")]
    [InlineData("""{"prompt":"x","best_of":3}""", "best_of")]
    public async Task AWrongTextCompletionIsRefused(string body, string param) => await RefusedAsync("/v1/completions", body, param, null, anyCode: true);

    [Theory]
    [InlineData("/v1/chat/completions", """{"model":"gpt-5","messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("/v1/completions", """{"model":"gpt-5","prompt":"x"}""")]
    public async Task AnUnknownModelIs404(string path, string body)
    {
        JsonObject error = await silo.Http.PostAsync(path, body, HttpStatusCode.NotFound);

        Assert.Equal("model", (string)error["error"]!["param"]!);
        Assert.Equal("model_not_found", (string)error["error"]!["code"]!);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "messages", """{"messages":[{"role":"user","content":"TEXT"}]}""")]
    [InlineData("/v1/chat/completions", "messages", """{"messages":[{"role":"user","content":"TEXT"}],"stream":true}""")]
    [InlineData("/v1/chat/completions", "messages", """{"messages":[{"role":"user","content":"TEXT"}],"conversation":"too-long"}""")]
    [InlineData("/v1/completions", "prompt", """{"prompt":"TEXT"}""")]
    public async Task APromptThatIsTooLongSaysSo(string path, string param, string body)
    {
        string text = string.Concat(Enumerable.Repeat("far too long ", 4_000));
        JsonObject error = await silo.Http.PostAsync(path, body.Replace("TEXT", text), HttpStatusCode.BadRequest);

        Assert.Equal("context_length_exceeded", (string)error["error"]!["code"]!);
        Assert.Equal(param, (string)error["error"]!["param"]!);
        Assert.Contains("4096", (string)error["error"]!["message"]!);
    }

    [Fact]
    public async Task ABodyThatIsTooLargeIs413()
    {
        using var content = new ByteArrayContent(new byte[(16 << 20) + 1]);
        content.Headers.ContentType = new("application/json");
        try
        {
            using HttpResponseMessage response = await silo.Http.PostAsync("/v1/chat/completions", content);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
            Assert.Contains("larger", await response.Content.ReadAsStringAsync());
        }
        catch (HttpRequestException e) when (e.InnerException is IOException)
        {
            // The server may close the connection before the client has sent everything.
        }
    }

    [Theory]
    [InlineData("GET", "/nowhere", HttpStatusCode.NotFound)]
    [InlineData("GET", "/v1/chat/completions", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/v1/models/other", HttpStatusCode.NotFound)]
    [InlineData("GET", "/v1/conversations/a%20b", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/v1/conversations/nobody", HttpStatusCode.NotFound)]
    public async Task EveryFaultHasAnErrorObject(string method, string path, HttpStatusCode status)
    {
        JsonObject error = (await silo.Http.SendJsonAsync(new HttpMethod(method), path, null, status))["error"]!.AsObject();

        Assert.Equal(["code", "message", "param", "type"], error.Select(pair => pair.Key).Order());
        Assert.Equal("invalid_request_error", (string)error["type"]!);
    }

    [Fact]
    public async Task APageFromElsewhereIsRefused()
    {
        foreach ((string header, string value) in (ReadOnlySpan<(string, string)>)[("Host", "evil.example"), ("Origin", "https://evil.example"), ("Origin", "null")])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
            request.Headers.TryAddWithoutValidation(header, value);
            Assert.Equal(HttpStatusCode.Forbidden, silo.Http.Send(request).StatusCode);
        }

        using var local = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        local.Headers.TryAddWithoutValidation("Origin", "http://localhost:3000");
        Assert.Equal(HttpStatusCode.OK, (await silo.Http.SendAsync(local)).StatusCode);
    }

    private async Task RefusedAsync(string path, string body, string? param, string? code, bool anyCode = false)
    {
        long steps = silo.Model.Engine.Snapshot().Steps;
        using HttpResponseMessage response = await silo.Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
        string text = await response.Content.ReadAsStringAsync();

        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{response.StatusCode}: {text}");
        JsonObject error = JsonNode.Parse(text)!["error"]!.AsObject();
        Assert.Equal("invalid_request_error", (string)error["type"]!);
        Assert.Equal(param, (string?)error["param"]);
        if (!anyCode) Assert.Equal(code, (string?)error["code"]);
        Assert.NotEmpty((string)error["message"]!);
        Assert.DoesNotContain("KvTiers.", (string)error["message"]!);
        Assert.DoesNotContain("System.", (string)error["message"]!);
        Assert.Equal(steps, silo.Model.Engine.Snapshot().Steps);
    }
}
