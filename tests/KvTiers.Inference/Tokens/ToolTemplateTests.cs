using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>Functions, calls and results in templates: as Jinja2 writes them (tools/tokenizer_fixtures made the expectations), and as plain text for templates that know none.</summary>
public sealed class ToolTemplateTests
{
    private static readonly JsonElement Golden = JsonDocument.Parse(File.ReadAllBytes(PathOf("expected.json"))).RootElement;
    private static readonly ToolDefinition[] Tools = [.. Golden.GetProperty("tools").EnumerateArray().Select(tool => Definition(tool.GetProperty("function")))];
    private static readonly ChatMessage[][] Chats = [.. Golden.GetProperty("chats").EnumerateArray().Select(chat => chat.EnumerateArray().Select(Message).ToArray())];

    private const string ChatMl = "{% for m in messages %}<|im_start|>{{ m.role + '\\n' + m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    public static TheoryData<string, ToolFormat> Names => new()
    {
        { "hermes.jinja", ToolFormat.Hermes },
        { "llama3.jinja", ToolFormat.Llama3 },
        { "mistral.jinja", ToolFormat.Mistral },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void RendersFunctionsAndCallsAsJinjaDoes(string name, ToolFormat format)
    {
        ChatTemplate template = Load(name);
        Assert.Equal(format, template.ToolFormat);
        JsonElement[] cases = [.. Golden.GetProperty("cases").EnumerateArray().Where(one => one.GetProperty("template").GetString() == name)];
        Assert.Equal(2 * Chats.Length, cases.Length);
        foreach (JsonElement one in cases)
        {
            RenderedPrompt prompt = template.Render(Chats[one.GetProperty("chat").GetInt32()], addGenerationPrompt: true, one.GetProperty("tools").GetBoolean() ? Tools : null);
            Assert.Equal(one.GetProperty("text").GetString(), prompt.Text);
        }
    }

    /// <summary>Nothing could be made of it; it used to be a fault of the server.</summary>
    [Theory]
    [InlineData("{\"a\": \"\\ud800\"}")]
    [InlineData("{\"\\udc00\": [{\"a\": 1}]}")]
    public void ArgumentsWithHalfOfACharacterAreText(string arguments)
    {
        ChatMessage[] chat = [new("user", "x"), new("assistant", "") { ToolCalls = [new("abcdefgh1", "f", arguments)] }, new("tool", "1") { ToolCallId = "abcdefgh1" }, new("user", "y")];
        foreach (ChatTemplate template in (ChatTemplate[])[Load("hermes.jinja"), Load("llama3.jinja"), Load("mistral.jinja"), ChatTemplate.Parse(ChatMl)])
            Assert.Contains("\\ud", template.Render(chat, addGenerationPrompt: true, Tools).Text.Replace("\\\\", "\\", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NothingOfAFunctionOrACallCanBecomeASpecialToken(string name, ToolFormat format)
    {
        const string Mark = "Ω";
        ToolDefinition[] tools = [new() { Name = "f", Description = $"{Mark}1", Parameters = $"{{\"{Mark}2\": 1, \"a\": [\"{Mark}3\"]}}" }];
        ChatMessage[] chat =
        [
            new("user", $"{Mark}4"),
            new("assistant", $"{Mark}5") { ToolCalls = [new("abcdefgh1", "f", $"{{\"{Mark}6\": 1}}")] },
            new("tool", $"{Mark}7") { ToolCallId = "abcdefgh1" },
            new("user", $"{Mark}8"),
        ];
        RenderedPrompt prompt = Load(name).Render(chat, addGenerationPrompt: true, tools);
        Assert.Contains($"{Mark}6", prompt.Text, StringComparison.Ordinal);
        Assert.Contains($"{Mark}2", prompt.Text, StringComparison.Ordinal);
        bool[] content = new bool[prompt.Text.Length];
        foreach (Range range in prompt.ContentRanges)
            content.AsSpan()[range].Fill(true);
        Assert.All(Enumerable.Range(0, content.Length).Where(i => prompt.Text[i] == Mark[0]), i => Assert.True(content[i], $"{format}: character {i} of:\n{prompt.Text}"));
    }

    [Fact]
    public void AnyIdFitsATemplateThatTakesIdsOfOneForm()
    {
        ChatMessage[] chat = [new("user", "a"), new("assistant", "") { ToolCalls = [new("call_1234567890", "now", "{}")] }, new("tool", "noon") { ToolCallId = "call_1234567890" }];
        string text = Load("mistral.jinja").Render(chat, addGenerationPrompt: true, Tools).Text;
        string id = ToolIds.ForTemplate(ToolFormat.Mistral, "call_1234567890");
        Assert.Contains($"\"id\": \"{id}\"", text, StringComparison.Ordinal);
        Assert.Contains($"\"call_id\": \"{id}\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ATemplateThatKnowsNoFunctionsIsToldOfThemBeforeTheSystemPrompt()
    {
        ChatTemplate template = ChatTemplate.Parse(ChatMl);
        Assert.Equal(ToolFormat.Json, template.ToolFormat);
        string text = template.Render([.. Chats[1], new("assistant", "Yes."), new("user", "And now?")], addGenerationPrompt: true, [Tools[1]]).Text;
        Assert.Equal(
            """
            <|im_start|>system
            You can call functions. These are the functions, one JSON object a line:
            {"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}
            To call a function, answer with nothing but a JSON object of this form: {"name": "function name", "arguments": {"argument": "value"}}. To call several, write one such object a line. To answer without a call, write text.

            Be brief.<|im_end|>
            <|im_start|>user
            Is it warm?<|im_end|>
            <|im_start|>assistant
            {"name": "get_weather", "arguments": {"city":"Ulm","days":2,"exact":[true,null,0.5]}}<|im_end|>
            <|im_start|>user
            Result of get_weather: 21 degrees<|im_end|>
            <|im_start|>assistant
            Yes.<|im_end|>
            <|im_start|>user
            And now?<|im_end|>
            <|im_start|>assistant

            """,
            text);
    }

    [Theory]
    [InlineData("{\"a\":1}", "{\"a\":1}")]
    [InlineData("{ \"a\" : 1 }", "{ \"a\" : 1 }")]
    [InlineData("{\n  \"a\": \"ä\"\n}", "{\"a\":\"ä\"}")]
    [InlineData("{\"a\": \"cut", "\"{\\\"a\\\": \\\"cut\"")]
    public void ACallInTextIsOneLineAndAsTheModelWroteItWherePossible(string arguments, string written)
    {
        string text = ChatTemplate.Parse(ChatMl).Render([new("user", "a"), new("assistant", "") { ToolCalls = [new("1", "f", arguments)] }], addGenerationPrompt: false).Text;
        Assert.EndsWith($"<|im_start|>assistant\n{{\"name\": \"f\", \"arguments\": {written}}}<|im_end|>\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutASystemPromptTheyAreOneAndWhereThatIsRefusedTheyStandInTheFirstMessage()
    {
        RenderedPrompt prompt = ChatTemplate.Parse(ChatMl).Render([new("user", "Hello")], addGenerationPrompt: false, [Tools[1]]);
        Assert.StartsWith("<|im_start|>system\nYou can call functions.", prompt.Text, StringComparison.Ordinal);
        Assert.Equal([prompt.Text.Length], prompt.MessageEnds);
        Assert.EndsWith("<|im_start|>user\nHello<|im_end|>\n", prompt.Text, StringComparison.Ordinal);

        ChatTemplate refusing = ChatTemplate.Parse("{% if messages[0].role == 'system' %}{{ raise_exception('No system prompt') }}{% endif %}" + ChatMl);
        string text = refusing.Render([new("user", "Hello")], addGenerationPrompt: false, [Tools[1]]).Text;
        Assert.StartsWith("<|im_start|>user\nYou can call functions.", text, StringComparison.Ordinal);
        Assert.EndsWith("\n\nHello<|im_end|>\n", text, StringComparison.Ordinal);
        Assert.True(Assert.Throws<TemplateException>(() => refusing.Render([new("system", "Be brief."), new("user", "Hello")], addGenerationPrompt: false, [Tools[1]])).IsRefusal);
    }

    [Fact]
    public void ATemplateMayReadNamesAndReasoning()
    {
        ChatTemplate template = ChatTemplate.Parse("{% for m in messages %}{{ m.role }}{% if m.name is defined %} {{ m.name }}{% endif %}: {% if m.reasoning_content %}({{ m.reasoning_content }}) {% endif %}{{ m.content }}\n{% endfor %}");
        string text = template.Render([new("user", "a") { Name = "Ann" }, new("assistant", "b") { ReasoningContent = "hm" }, new("user", "c")], addGenerationPrompt: false).Text;
        Assert.Equal("user Ann: a\nassistant: (hm) b\nuser: c\n", text);
    }

    private static string PathOf(string name) => GoldenTokenizers.RepositoryPath("tests", "Golden", "tool_templates", name);

    private static ChatTemplate Load(string name) =>
        ChatTemplate.Parse(File.ReadAllText(PathOf(name)), Golden.GetProperty("tokens").Deserialize<Dictionary<string, string>>());

    private static ToolDefinition Definition(JsonElement function) => new()
    {
        Name = function.GetProperty("name").GetString()!,
        Description = function.TryGetProperty("description", out JsonElement description) ? description.GetString() : null,
        Parameters = function.GetProperty("parameters").GetRawText(),
    };

    private static ChatMessage Message(JsonElement message) => new(message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!)
    {
        ToolCallId = message.TryGetProperty("tool_call_id", out JsonElement id) ? id.GetString() : null,
        ToolCalls = message.TryGetProperty("tool_calls", out JsonElement calls) ? [.. calls.EnumerateArray().Select(Call)] : null,
    };

    private static ToolCall Call(JsonElement call)
    {
        JsonElement function = call.GetProperty("function");
        return new(call.GetProperty("id").GetString()!, function.GetProperty("name").GetString()!, function.GetProperty("arguments").GetString()!);
    }
}
