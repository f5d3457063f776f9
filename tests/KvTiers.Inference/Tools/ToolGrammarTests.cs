using KvTiers.Conversations;
using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Tests.Tools;

public sealed class ToolGrammarTests
{
    private static readonly ToolUse Tools = new()
    {
        Definitions = [new() { Name = "get_weather", Parameters = """{"type":"object","properties":{}}""" }, new() { Name = "now" }, new() { Name = "odd", Parameters = """{"if":true}""" }],
        Choice = ToolChoice.Required,
    };

    [Fact]
    public void AnAnswerIsOneCallOrSeveral() => Assert.Equal(
        """
        root ::= call ("\n" call)*
        call ::= call-0 | call-1 | call-2
        call-0 ::= "{\"name\": \"get_weather\", \"arguments\": " arguments-0 "}"
        arguments-0 ::= %json {"type":"object","properties":{}}
        call-1 ::= "{\"name\": \"now\", \"arguments\": " arguments-1 "}"
        arguments-1 ::= "{}"
        call-2 ::= "{\"name\": \"odd\", \"arguments\": " arguments-2 "}"
        arguments-2 ::= %json {"type":"object"}

        """,
        ToolGrammar.Of(ToolFormat.Json, Tools, tool => tool.Name != "odd"));

    [Fact]
    public void OneCallOfOneFunctionInItsTemplatesForm()
    {
        ToolUse named = Tools with { Allowed = ["now"], ParallelCalls = false };
        Assert.Equal(
            """
            root ::= call
            call ::= "<tool_call>\n" object "\n</tool_call>"
            object ::= call-0
            call-0 ::= "{\"name\": \"now\", \"arguments\": " arguments-0 "}"
            arguments-0 ::= "{}"

            """,
            ToolGrammar.Of(ToolFormat.Hermes, named, _ => true));
        Assert.Contains("""call-0 ::= "{\"name\": \"now\", \"parameters\": " """, ToolGrammar.Of(ToolFormat.Llama3, named, _ => true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ToolFormat.Json, false, ToolFormat.Json)]
    [InlineData(ToolFormat.Hermes, false, ToolFormat.Hermes)]
    [InlineData(ToolFormat.Hermes, true, ToolFormat.Json)]
    [InlineData(ToolFormat.Mistral, true, ToolFormat.Json)]
    [InlineData(ToolFormat.Mistral, false, ToolFormat.Json)]
    [InlineData(ToolFormat.Llama3, true, ToolFormat.Llama3)]
    public void MarksThatHaveNoTextAreLeftOut(ToolFormat format, bool hasOpeningToken, ToolFormat form) => Assert.Equal(form, ToolGrammar.FormOf(format, hasOpeningToken));
}
