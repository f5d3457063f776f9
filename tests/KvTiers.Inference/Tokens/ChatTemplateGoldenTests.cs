using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>Agreement with Jinja2, set as Hugging Face sets it; tools/tokenizer_fixtures made the expectations.</summary>
public sealed class ChatTemplateGoldenTests(ITestOutputHelper output)
{
    private static readonly JsonElement Golden = ReadGolden();
    private static readonly ChatMessage[][] Chats =
        [.. Golden.GetProperty("chats").EnumerateArray().Select(chat => chat.EnumerateArray()
            .Select(message => new ChatMessage(message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!)).ToArray())];

    public static TheoryData<string> Names => [.. Golden.GetProperty("cases").EnumerateArray().Select(entry => entry.GetProperty("template").GetString()!).Distinct()];

    [Theory]
    [MemberData(nameof(Names))]
    public void RendersEveryChatAsJinjaDoes(string name)
    {
        ChatTemplate template = Load(name);
        int count = 0;
        foreach (JsonElement entry in Cases(name))
        {
            ChatMessage[] chat = Chats[entry.GetProperty("chat").GetInt32()];
            bool prompt = entry.GetProperty("prompt").GetBoolean();
            if (entry.TryGetProperty("refusal", out JsonElement refusal))
            {
                TemplateException e = Assert.Throws<TemplateException>(() => template.Render(chat, prompt));
                Assert.True(e.IsRefusal);
                Assert.Equal(refusal.GetString(), e.Reason);
            }
            else
            {
                Assert.Equal(entry.GetProperty("text").GetString(), template.Render(chat, prompt).Text);
            }

            count++;
        }

        output.WriteLine($"{name}: {count} renderings agree");
        Assert.Equal(2 * Chats.Length, count);
    }

    // More than any context holds.
    [Theory]
    [MemberData(nameof(Names))]
    public void WritesLongChats(string name)
    {
        ChatMessage[] chat = [.. Enumerable.Range(0, 2001).Select(i => new ChatMessage(i % 2 == 0 ? "user" : "assistant", $"{i}: " + new string('a', 300)))];
        RenderedPrompt prompt = Load(name).Render(chat, addGenerationPrompt: true);
        // One of them stops after five messages.
        Assert.InRange(prompt.ContentRanges.Count, name == "constructs.jinja" ? 1 : 2001, int.MaxValue);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NoCharacterOfAContentIsTakenForTheTemplatesOwn(string name)
    {
        ChatTemplate template = Load(name);
        // Letters that neither a template nor a role has; some templates change case or order, so each is looked for by itself.
        const string Marks = "ΩЖ字🙂";
        foreach (JsonElement entry in Cases(name).Where(entry => entry.TryGetProperty("text", out _)))
        {
            ChatMessage[] chat = [.. Chats[entry.GetProperty("chat").GetInt32()].Select(message => message with { Content = $" {Marks} {Marks}\n{Marks}{Marks} " })];
            RenderedPrompt prompt = template.Render(chat, entry.GetProperty("prompt").GetBoolean());
            bool[] content = new bool[prompt.Text.Length];
            foreach (Range range in prompt.ContentRanges)
                content.AsSpan()[range].Fill(true);
            for (int i = 0; i < prompt.Text.Length; i++)
            {
                if (Marks.Contains(prompt.Text[i]) || "ωж".Contains(prompt.Text[i]))
                    Assert.True(content[i], $"character {i} of:\n{prompt.Text}");
            }
        }
    }

    private static IEnumerable<JsonElement> Cases(string name) =>
        Golden.GetProperty("cases").EnumerateArray().Where(entry => entry.GetProperty("template").GetString() == name);

    private static ChatTemplate Load(string name) => ChatTemplate.Parse(
        File.ReadAllText(GoldenTokenizers.RepositoryPath("tests", "Golden", "chat_templates", name)),
        Golden.GetProperty("tokens").Deserialize<Dictionary<string, string>>()!,
        new FixedTime(new DateTimeOffset(Golden.GetProperty("now").GetDateTime(), TimeSpan.Zero)));

    private static JsonElement ReadGolden()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(GoldenTokenizers.RepositoryPath("tests", "Golden", "chat_templates", "expected.json")));
        return document.RootElement.Clone();
    }
}
