using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

public sealed class TextOnlyModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AModelWithoutAChatTemplateCompletesTextAndSaysThatItCannotChat()
    {
        string model = _folder.Path("text-only");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.EnumerateFiles(TestModels.Tiny)) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        string config = Path.Combine(model, "tokenizer_config.json");
        JsonObject settings = JsonNode.Parse(await File.ReadAllTextAsync(config))!.AsObject();
        settings.Remove("chat_template");
        await File.WriteAllTextAsync(config, settings.ToJsonString());

        await using SiloServer silo = await SiloServer.StartAsync("--model", model);
        await silo.Http.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1}""");
        JsonObject chat = await silo.Http.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.BadRequest);
        JsonObject conversations = await silo.Http.GetJsonAsync("/v1/conversations", HttpStatusCode.BadRequest);

        Assert.Equal("no_chat_template", (string)chat["error"]!["code"]!);
        Assert.Contains("cannot chat", (string)chat["error"]!["message"]!);
        Assert.Equal("no_chat_template", (string)conversations["error"]!["code"]!);
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
}
