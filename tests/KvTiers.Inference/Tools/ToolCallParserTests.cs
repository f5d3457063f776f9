using System.Text;
using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Tests.Tools;

public sealed class ToolCallParserTests
{
    private const string Weather = "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Ulm\", \"days\": [1, -2.5e3, {\"a\": null}]}}";
    private const string WeatherCall = "get_weather({\"city\": \"Ulm\", \"days\": [1, -2.5e3, {\"a\": null}]})";

    /// <summary>Format, answer, and what it is: its text, then each call.</summary>
    public static TheoryData<ToolFormat, string, string, string[]> Answers => new()
    {
        // What all formats have in common: text is text, to the last white space.
        { ToolFormat.Hermes, "  It is warm.\n\n", "  It is warm.\n\n", [] },
        { ToolFormat.Llama3, "  It is warm.\n\n", "  It is warm.\n\n", [] },
        { ToolFormat.Mistral, "  It is warm.\n\n", "  It is warm.\n\n", [] },
        { ToolFormat.Json, "  It is warm.\n\n", "  It is warm.\n\n", [] },
        { ToolFormat.Json, "", "", [] },
        { ToolFormat.Json, "a {\"name\": \"now\", \"arguments\": {}}", "a {\"name\": \"now\", \"arguments\": {}}", [] },

        // Hermes
        { ToolFormat.Hermes, $"<tool_call>\n{Weather}\n</tool_call>", "", [WeatherCall] },
        { ToolFormat.Hermes, $"I look.\n<tool_call>{Weather}</tool_call>\n<tool_call>\n{{\"name\": \"now\"}}\n</tool_call>\n", "I look.", [WeatherCall, "now({})"] },
        { ToolFormat.Hermes, "<tool_call>\n{\"arguments\": {\"a\": 1}, \"id\": 7, \"name\": \"now\"}\n</tool_call> Done. ", "Done. ", ["now({\"a\": 1})"] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": \"now\", \"arguments\": \"{\\\"a\\\": 1}\"}</tool_call>", "", ["now({\"a\": 1})"] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": \"now\", \"arguments\": null}", "", ["now({})"] },
        { ToolFormat.Hermes, "<tool_call>\nnot JSON\n</tool_call>", "<tool_call>\nnot JSON\n</tool_call>", [] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": \"unknown\", \"arguments\": {}}</tool_call>", "<tool_call>{\"name\": \"unknown\", \"arguments\": {}}</tool_call>", [] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": 1, \"arguments\": {}}</tool_call>", "<tool_call>{\"name\": 1, \"arguments\": {}}</tool_call>", [] },
        { ToolFormat.Hermes, "<tool_call>{\"arguments\": {}}</tool_call>", "<tool_call>{\"arguments\": {}}</tool_call>", [] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": \"now\", \"arg", "<tool_call>{\"name\": \"now\", \"arg", [] },
        { ToolFormat.Hermes, "<tool_call>\n<tool_call>\n{\"name\": \"now\"}</tool_call>", "<tool_call>", ["now({})"] },
        { ToolFormat.Hermes, "a <tool_ca", "a <tool_ca", [] },
        { ToolFormat.Hermes, "a <<tool_call>{\"name\": \"now\"}<</tool_call>", "a <<</tool_call>", ["now({})"] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": \"now\", \"arguments\": {\"a\": \"b", "", ["now({\"a\": \"b)"] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": \"now\", \"arguments\": {\"a\": b}}</tool_call> Well.", "Well.", ["now({\"a\": b}})"] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": \"now\", \"arguments\": {} x}</tool_call>", "x}</tool_call>", ["now({})"] },
        { ToolFormat.Hermes, "<tool_call>{\"name\": \"n\\u006fw\", \"arguments\": {\"ä\": \"\\ud83d\\ude00 😀\"}}</tool_call>", "", ["now({\"ä\": \"\\ud83d\\ude00 😀\"})"] },

        // Llama 3.x
        { ToolFormat.Llama3, "{\"name\": \"now\", \"parameters\": {\"a\": 1}}", "", ["now({\"a\": 1})"] },
        { ToolFormat.Llama3, "\n<|python_tag|>{\"type\": \"function\", \"name\": \"now\", \"parameters\": {}}", "", ["now({})"] },
        { ToolFormat.Llama3, $"{{\"name\": \"now\", \"parameters\": {{}}}}; {Weather}", "", ["now({})", WeatherCall] },
        { ToolFormat.Llama3, "{\"name\": \"Ann\", \"age\": 7}", "{\"name\": \"Ann\", \"age\": 7}", [] },
        { ToolFormat.Llama3, "{\"name\": \"now\"}", "{\"name\": \"now\"}", [] },
        { ToolFormat.Llama3, "{\"answer\": {\"name\": \"now\", \"parameters\": {}}}", "{\"answer\": {\"name\": \"now\", \"parameters\": {}}}", [] },
        { ToolFormat.Llama3, "<|python_tag|>print(1)", "<|python_tag|>print(1)", [] },
        { ToolFormat.Llama3, "{\"name\": \"now\", \"parameters\": {}} and more", "and more", ["now({})"] },

        // Mistral
        { ToolFormat.Mistral, $"[TOOL_CALLS] [{Weather}, {{\"name\": \"now\", \"arguments\": {{}}, \"id\": \"abcdefghi\"}}]", "", [WeatherCall, "now({})"] },
        { ToolFormat.Mistral, $"I look. [TOOL_CALLS][{Weather}] Done.", "I look.Done.", [WeatherCall] },
        { ToolFormat.Mistral, "[TOOL_CALLS]{\"name\": \"now\"}", "", ["now({})"] },
        { ToolFormat.Mistral, "[TOOL_CALLS][]", "[TOOL_CALLS][]", [] },
        { ToolFormat.Mistral, "[TOOL_CALLS][{\"name\": \"now\"}, {\"name\": \"unknown\"}]", ", {\"name\": \"unknown\"}]", ["now({})"] },
        { ToolFormat.Mistral, "[TOOL", "[TOOL", [] },

        // JSON alone
        { ToolFormat.Json, $"{Weather}\n{{\"name\": \"now\", \"arguments\": {{}}}}\n", "", [WeatherCall, "now({})"] },
        { ToolFormat.Json, $" [{Weather},\n{{\"name\": \"now\", \"arguments\": {{}}}}]", "", [WeatherCall, "now({})"] },
        { ToolFormat.Json, "[1] is a source", "[1] is a source", [] },
        { ToolFormat.Json, "[{\"name\": \"now\", \"size\": 1}]", "[{\"name\": \"now\", \"size\": 1}]", [] },
        { ToolFormat.Json, "{{{{", "{{{{", [] },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void AnAnswerIsTheSameInAnyPieces(ToolFormat format, string answer, string text, string[] calls)
    {
        string expected = string.Join("\n", [text, .. calls]);
        Assert.Equal(expected, Read(format, [answer]));
        for (int cut = 1; cut < answer.Length; cut++)
            Assert.Equal(expected, Read(format, [answer[..cut], answer[cut..]]));
        Assert.Equal(expected, Read(format, [.. answer.Select(c => c.ToString())]));
    }

    [Theory]
    [InlineData(ToolFormat.Mistral, "[{\"name\": \"now\", \"arguments\": {}}]")]
    [InlineData(ToolFormat.Llama3, "{\"name\": \"now\", \"parameters\": {}}")]
    [InlineData(ToolFormat.Hermes, "{\"name\": \"now\"}")]
    public void AnOpeningMarkMayBeATokenWithoutText(ToolFormat format, string call)
    {
        for (int cut = 0; cut <= call.Length; cut++)
        {
            var parser = new ToolCallParser(format, name => name == "now");
            List<AnswerPart> parts = [.. parser.Append("I look. "), .. parser.Open(), .. parser.Append(call[..cut]), .. parser.Append(call[cut..]), .. parser.Complete()];
            Assert.Equal("I look.\nnow({})", Describe(parts));
        }
    }

    [Fact]
    public void ArgumentsArePassedOnAsTheyCome()
    {
        var parser = new ToolCallParser(ToolFormat.Hermes, name => name == "now");
        Assert.Equal((AnswerPart[])[new(AnswerPartKind.Text, 0, "I")], parser.Append("I <tool_call>{\"name\": \"now\", "));
        Assert.Equal((AnswerPart[])[new(AnswerPartKind.Call, 0, "now"), new(AnswerPartKind.Arguments, 0, "{\"a")], parser.Append("\"arguments\": {\"a"));
        Assert.Equal((AnswerPart[])[new(AnswerPartKind.Arguments, 0, "\": 1}")], parser.Append("\": 1}}"));
        Assert.Empty(parser.Append("</tool_call>"));
        Assert.Empty(parser.Complete());
        Assert.Equal(1, parser.Calls);
    }

    [Fact]
    public void NoMoreCallsAreReadThanAreAllowed()
    {
        const string Now = "{\"name\": \"now\", \"arguments\": {}}";
        Assert.Equal($"{Now}\nnow({{}})", Read(ToolFormat.Json, [$"{Now}\n{Now}"], maxCalls: 1));
        Assert.Equal($"<tool_call>{Now}</tool_call>\nnow({{}})", Read(ToolFormat.Hermes, [$"<tool_call>{Now}</tool_call><tool_call>{Now}</tool_call>"], maxCalls: 1));
        Assert.Equal($", {Now}]\nnow({{}})", Read(ToolFormat.Mistral, [$"[TOOL_CALLS][{Now}, {Now}]"], maxCalls: 1));
    }

    /// <summary>Random answers out of what marks and calls are made of: nothing is lost, and pieces do not matter.</summary>
    [Theory]
    [InlineData(ToolFormat.Hermes)]
    [InlineData(ToolFormat.Llama3)]
    [InlineData(ToolFormat.Mistral)]
    [InlineData(ToolFormat.Json)]
    public void RandomAnswersAreReadTheSameInAnyPieces(ToolFormat format)
    {
        var random = new Random(17);
        string[] bricks = ["<tool_call>", "</tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "{", "}", "[", "]", ",", ";", " ", "\n", "\"name\": \"now\"", "\"arguments\": {}", "\"parameters\": {\"a\": 1}", "<", "x", "{\"name\": \"now\", \"arguments\": {}}"];
        int withCalls = 0;
        for (int round = 0; round < 3000; round++)
        {
            string answer = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => bricks[random.Next(bricks.Length)]));
            string whole = Read(format, [answer]);
            int cut = random.Next(answer.Length + 1);
            Assert.Equal(whole, Read(format, [answer[..cut], answer[cut..]]));
            Assert.Equal(whole, Read(format, [.. answer.Select(c => c.ToString())]));
            withCalls += whole.Contains("now(", StringComparison.Ordinal) ? 1 : 0;
            if (!whole.Contains("now(", StringComparison.Ordinal))
                Assert.Equal(answer, whole);
        }

        Assert.InRange(withCalls, 20, 2900);
    }

    private static string Read(ToolFormat format, IReadOnlyList<string> pieces, int maxCalls = int.MaxValue)
    {
        var parser = new ToolCallParser(format, name => name is "get_weather" or "now", maxCalls);
        return Describe([.. pieces.SelectMany(parser.Append), .. parser.Complete()]);
    }

    private static string Describe(IReadOnlyList<AnswerPart> parts)
    {
        var text = new StringBuilder();
        var calls = new List<(string Name, StringBuilder Arguments)>();
        foreach (AnswerPart part in parts)
        {
            Assert.NotEqual("", part.Text);
            if (part.Kind == AnswerPartKind.Text)
                text.Append(part.Text);
            else if (part.Kind == AnswerPartKind.Call)
                calls.Add((part.Text, new StringBuilder()));
            else
                calls[part.Call].Arguments.Append(part.Text);
            Assert.Equal(part.Kind == AnswerPartKind.Text ? 0 : calls.Count - 1, part.Call);
        }

        return string.Join("\n", [text.ToString(), .. calls.Select(call => $"{call.Name}({call.Arguments})")]);
    }
}
