using System.Text.Json;
using KvTiers.Blocks;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>The model that ships uses its context: asked for a fact told turns before, with names that training never saw, it answers right.</summary>
/// <remarks>The dialogues in <c>tests/Golden/recall.json</c> are drawn by <c>tools/demo_model</c>, once and before the weights were done; all answers on the
/// way are the model's own. One draw of several: <c>models/demo/README.md</c> has the others.</remarks>
public sealed class DemoModelTests(ITestOutputHelper output)
{
    private static readonly string Folder = RepositoryPath("models", "demo");

    [Fact]
    public async Task AFactToldTurnsBeforeIsAnsweredRightInNineteenOfTwentyDialogues() => AssertRight(await AnswerAllAsync("recall"), atLeast: 190);

    [Fact]
    public async Task WhenTheEarlierMessageIsEditedTheAnswerChangesWithIt() => AssertRight(await AnswerAllAsync("edits"), atLeast: 175);

    /// <summary>The same floors as with the weights as stored, lower by five for 4 bits; how many answers are the same, word for word, is printed.</summary>
    [Theory]
    [InlineData("recall", WeightFormat.Int8, 190)]
    [InlineData("edits", WeightFormat.Int8, 175)]
    [InlineData("recall", WeightFormat.Int4, 185)]
    public async Task WeightsOfFewBitsAnswerAsRightly(string kind, WeightFormat format, int atLeast)
    {
        Dialogue[] stored = await AnswerAllAsync(kind), rounded = await AnswerAllAsync(kind, format);

        int same = stored.Zip(rounded).Count(pair => pair.First.Answers.SequenceEqual(pair.Second.Answers));
        int total = stored.Sum(dialogue => dialogue.Answers.Count);
        int sameAnswers = stored.Zip(rounded).Sum(pair => pair.First.Answers.Zip(pair.Second.Answers).Count(answers => answers.First == answers.Second));
        output.WriteLine($"{kind}, {format} against bf16: {sameAnswers} of {total} answers the same, {same} of {stored.Length} dialogues throughout");
        AssertRight(rounded, atLeast);
    }

    private void AssertRight(Dialogue[] dialogues, int atLeast)
    {
        int right = dialogues.Count(dialogue => dialogue.IsRight);
        output.WriteLine($"{right} of {dialogues.Length} right");
        Assert.Equal(200, dialogues.Length);
        Assert.True(right >= atLeast, $"{right} of {dialogues.Length} right");
    }

    private static async Task<Dialogue[]> AnswerAllAsync(string kind, WeightFormat weights = WeightFormat.AsStored)
    {
        using LanguageModel model = LanguageModel.Load(Folder, new ModelOptions { WeightFormat = weights });
        ChatPrompt prompt = ChatPrompt.Load(Folder);
        using var cache = new KvCache(model.Config.CreateLayout(KvFormat.F32), new KvCacheOptions { HotBytes = 256 << 20 });
        await using var engine = new Engine(model, prompt.Tokenizer, cache, new EngineOptions());
        using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(RepositoryPath("tests", "Golden", "recall.json")));
        return await Task.WhenAll(file.RootElement.GetProperty(kind).EnumerateArray().Select(dialogue => AnswerAsync(engine, prompt, dialogue)));
    }

    private static async Task<Dialogue> AnswerAsync(Engine engine, ChatPrompt prompt, JsonElement dialogue)
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

        string[] answers = [.. messages.Where(message => message.Role == "assistant").Select(message => message.Content)];
        if (dialogue.TryGetProperty("edit", out JsonElement edit))
        {
            int index = told[edit.GetProperty("index").GetInt32()];
            messages[index] = messages[index] with { Content = edit.GetProperty("content").GetString()! };
        }

        messages.Add(new ChatMessage("user", dialogue.GetProperty("asked").GetString()!));
        string answer = await AnswerAsync(engine, prompt, messages);
        string wanted = dialogue.GetProperty("wanted").GetString()!;
        string? barred = dialogue.TryGetProperty("barred", out JsonElement old) ? old.GetString() : null;
        return new Dialogue([.. answers, answer], Holds(answer, wanted) && (barred is null || Holds(wanted, barred) || !Holds(answer, barred)));
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

    private sealed record Dialogue(IReadOnlyList<string> Answers, bool IsRight);
}
