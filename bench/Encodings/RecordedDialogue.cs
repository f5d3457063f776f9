using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;

namespace KvTiers.Bench.Encodings;

/// <summary>A dialogue up to its last question, with the model's own lossless answers.</summary>
/// <param name="Prompt">All tokens up to where the last answer begins.</param>
/// <param name="EarlierTokens">How many of them come before the last question.</param>
/// <param name="Answer">The last answer, greedy, without the token that ends it.</param>
internal sealed record RecordedDialogue(int[] Prompt, int EarlierTokens, int[] Answer)
{
    /// <summary>Runs dialogues of the form of <c>tests/Golden/recall.json</c>: the user's messages are given, the answers are the model's.</summary>
    public static async Task<RecordedDialogue[]> RunAllAsync(Engine engine, ChatPrompt chat, string path, CancellationToken cancel)
    {
        using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(path, cancel));
        return await Task.WhenAll(file.RootElement.GetProperty("recall").EnumerateArray().Select(dialogue => RunAsync(engine, chat, dialogue, cancel)));
    }

    private static async Task<RecordedDialogue> RunAsync(Engine engine, ChatPrompt chat, JsonElement dialogue, CancellationToken cancel)
    {
        var messages = new List<ChatMessage>();
        foreach (JsonElement message in dialogue.GetProperty("messages").EnumerateArray())
        {
            messages.Add(new ChatMessage(message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!));
            if (messages[^1].Role == "user")
                messages.Add(new ChatMessage("assistant", (await AnswerAsync(engine, chat.Encode(messages, addGenerationPrompt: true).Ids, cancel)).Text));
        }

        int earlier = messages.Count;
        messages.Add(new ChatMessage("user", dialogue.GetProperty("asked").GetString()!));
        ChatTokens prompt = chat.Encode(messages, addGenerationPrompt: true);
        ChoiceResult answer = await AnswerAsync(engine, prompt.Ids, cancel);
        int[] tokens = [.. answer.TokenIds];
        return new RecordedDialogue(prompt.Ids, prompt.MessageEnds[earlier - 1], engine.Tokenizer.EndOfText.Contains(tokens[^1]) ? tokens[..^1] : tokens);
    }

    private static async Task<ChoiceResult> AnswerAsync(Engine engine, int[] prompt, CancellationToken cancel)
    {
        var request = new GenerationRequest { Prompt = prompt, MaxNewTokens = 96, Sampling = SamplingOptions.Greedy };
        return (await engine.Submit(request, cancel).Completion).Choices[0];
    }
}
