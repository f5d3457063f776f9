using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Tests.OpenAi;

public sealed class TextOnlyModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AModelWithoutAChatTemplateCompletesTextAndSaysThatItCannotChat()
    {
        string model = await ModelWithAsync(null);

        await using SiloServer silo = await SiloServer.StartAsync("--model", model);
        await silo.Http.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1}""");
        JsonObject chat = await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.BadRequest);
        JsonObject conversations = await silo.Http.GetJsonAsync("/v1/conversations", HttpStatusCode.BadRequest);

        Assert.Equal("no_chat_template", (string)chat["error"]!["code"]!);
        Assert.Contains("cannot chat", (string)chat["error"]!["message"]!);
        Assert.Equal("no_chat_template", (string)conversations["error"]!["code"]!);
    }

    [Theory]
    [InlineData("{{ raise_exception('no chat today') }}", "line 1: cannot write a question: no chat today")]
    [InlineData("\n{{ messages[0].nothing.more }}", "line 2: cannot write a question: 'nothing' is undefined")]
    [InlineData("{% set ns = namespace(a=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a | tojson }}", "cannot write a question: makes more than")]
    [InlineData("{% for m in messages %}{% for n in messages %}{% for o in messages %}{% for p in messages %}{{ m.content }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}", "cannot write a chat of 41 messages: makes more than")]
    public async Task ATemplateThatWritesNoChatStopsTheStart(string template, string reason)
    {
        string model = await ModelWithAsync(template);
        StartException e = await Assert.ThrowsAsync<StartException>(() => SiloServer.StartAsync("--model", model));
        Assert.Contains(reason, e.Message);
        Assert.Contains("without one it completes text only", e.Message);
    }

    [Fact]
    public async Task AChatThatTheTemplateCannotWriteIsRefusedWithTheReason()
    {
        string model = await ModelWithAsync("{% for m in messages %}{{ m.content }}{{ m.content.nothing.more if m.content == 'a riddle' }}{% endfor %}");
        await using SiloServer silo = await SiloServer.StartAsync("--model", model);
        await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}],"max_tokens":1}""");

        JsonNode error = (await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"a riddle"}]}""", HttpStatusCode.BadRequest))["error"]!;
        await silo.Http.PostAsync("/v1/conversations", """{"id":"c"}""", HttpStatusCode.Created);
        JsonNode inConversation = (await silo.Http.PostAsync("/v1/conversations/c/turns", """{"messages":[{"role":"user","content":"a riddle"}]}""", HttpStatusCode.BadRequest))["error"]!;

        Assert.Equal("template_failed", (string)error["code"]!);
        Assert.Contains("line 1: 'nothing' is undefined", (string)error["message"]!);
        Assert.Equal("template_failed", (string)inConversation["code"]!);
    }

    [Fact]
    public async Task WhatTheModelsMakersWantSampledIsTheDefault()
    {
        string model = _folder.Path("greedy");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.EnumerateFiles(TestModels.Tiny)) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        string config = Path.Combine(model, "generation_config.json");
        JsonObject settings = JsonNode.Parse(await File.ReadAllTextAsync(config))!.AsObject();
        settings["do_sample"] = false;
        await File.WriteAllTextAsync(config, settings.ToJsonString());

        await using SiloServer silo = await SiloServer.StartAsync("--model", model);
        async Task<string> AnswerAsync(string more) =>
            (await silo.Http.PostAsync("/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"max_tokens":12{{more}} }"""))["choices"]!.ToJsonString();

        Assert.Equal(await AnswerAsync(""","temperature":0"""), await AnswerAsync(""));
        Assert.Equal(await AnswerAsync(""","conversation":"a","temperature":0"""), await AnswerAsync(""","conversation":"b" """));
        Assert.NotEqual(await AnswerAsync(""","temperature":2,"seed":1"""), await AnswerAsync(""));
    }

    private async Task<string> ModelWithAsync(string? template)
    {
        string model = _folder.Path("model");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.EnumerateFiles(TestModels.Tiny)) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        string config = Path.Combine(model, "tokenizer_config.json");
        JsonObject settings = JsonNode.Parse(await File.ReadAllTextAsync(config))!.AsObject();
        settings.Remove("chat_template");
        if (template is not null) settings["chat_template"] = template;
        await File.WriteAllTextAsync(config, settings.ToJsonString());
        return model;
    }
}
