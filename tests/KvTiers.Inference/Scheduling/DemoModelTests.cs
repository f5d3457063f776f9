using System.Text.Json;
using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>The model that ships uses its context: asked for a fact told turns before, with names that training never saw, it answers right.</summary>
/// <remarks>The dialogues in <c>tests/Golden/recall.json</c> are drawn by <c>tools/demo_model</c>; all answers on the way are the model's own. One draw:
/// over several the share is near 94 % (<c>models/demo/README.md</c>), so passing here does not show 95 %.</remarks>
public sealed class DemoModelTests(ITestOutputHelper output)
{
    private static readonly string Folder = RepositoryPath("models", "demo");

    [Fact]
    public async Task AFactToldTurnsBeforeIsAnsweredRightInNineteenOfTwentyDialogues() => await AssertRightAsync("recall", atLeast: 190);

    [Fact]
    public async Task WhenTheEarlierMessageIsEditedTheAnswerChangesWithIt() => await AssertRightAsync("edits", atLeast: 175);

    private async Task AssertRightAsync(string kind, int atLeast)
    {
        using LanguageModel model = LanguageModel.Load(Folder, new ModelOptions());
        ChatPrompt prompt = ChatPrompt.Load(Folder);
        using var cache = new KvCache(model.Config.CreateLayout(KvFormat.F32), new KvCacheOptions { HotBytes = 256 << 20 });
        await using var engine = new Engine(model, prompt.Tokenizer, cache, new EngineOptions());
        using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(RepositoryPath("tests", "Golden", "recall.json")));
        bool[] right = await Task.WhenAll(file.RootElement.GetProperty(kind).EnumerateArray().Select(dialogue => IsRightAsync(engine, prompt, dialogue)));

        output.WriteLine($"{kind}: {right.Count(answer => answer)} of {right.Length} right");
        Assert.Equal(200, right.Length);
        Assert.True(right.Count(answer => answer) >= atLeast, $"{right.Count(answer => answer)} of {right.Length} right");
    }

    private static async Task<bool> IsRightAsync(Engine engine, ChatPrompt prompt, JsonElement dialogue)
    {
        var messages = new List<ChatMessage>();
        var told = new List<int>();
        foreach (JsonElement message in dialogue.GetProperty("messages").EnumerateArray())
        {
            told.Add(messages.Count);
            messages.Add(new ChatMessage(message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!));
            if (messages[^1].Role == "user")
                messages.Add(new ChatMessage("assistant", await AnswerAsync(engine, prompt, messages)));
        }

        if (dialogue.TryGetProperty("edit", out JsonElement edit))
        {
            int index = told[edit.GetProperty("index").GetInt32()];
            messages[index] = messages[index] with { Content = edit.GetProperty("content").GetString()! };
        }

        messages.Add(new ChatMessage("user", dialogue.GetProperty("asked").GetString()!));
        string answer = await AnswerAsync(engine, prompt, messages);
        string wanted = dialogue.GetProperty("wanted").GetString()!;
        string? barred = dialogue.TryGetProperty("barred", out JsonElement old) ? old.GetString() : null;
        return Holds(answer, wanted) && (barred is null || Holds(wanted, barred) || !Holds(answer, barred));
    }

    private static async Task<string> AnswerAsync(Engine engine, ChatPrompt prompt, List<ChatMessage> messages)
    {
        var request = new GenerationRequest
        {
            Prompt = prompt.Encode(messages, addGenerationPrompt: true).Ids,
            MaxNewTokens = 96,
            Sampling = SamplingOptions.Greedy,
        };
        return (await engine.Submit(request).Completion).Choices[0].Text;
    }

    private static bool Holds(string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static string RepositoryPath(params string[] parts)
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "KvTiers.sln")))
            folder = folder.Parent;
        return Path.Combine([folder.FullName, .. parts]);
    }
}
