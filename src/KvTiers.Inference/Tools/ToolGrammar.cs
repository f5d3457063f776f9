using System.Text;
using KvTiers.Conversations;

namespace KvTiers.Inference.Tools;

/// <summary>Calls of functions as a grammar in GBNF: what an answer that must call looks like.</summary>
public static class ToolGrammar
{
    private const string Close = "\"}\"";
    private const string AnyObject = """{"type":"object"}""";

    /// <summary>The form that such an answer has: the template's own where it is text, and JSON alone where its opening mark is a token that has no text.</summary>
    /// <param name="format">How the template writes calls.</param>
    /// <param name="hasOpeningToken">Whether the opening mark is a token without text.</param>
    public static ToolFormat FormOf(ToolFormat format, bool hasOpeningToken) => format switch
    {
        ToolFormat.Hermes when !hasOpeningToken => ToolFormat.Hermes,
        ToolFormat.Llama3 => ToolFormat.Llama3,
        _ => ToolFormat.Json,
    };

    /// <summary>The grammar of at least one call, and of one alone where <see cref="ToolUse.ParallelCalls"/> is false.</summary>
    /// <param name="form">How calls are written; see <see cref="FormOf"/>.</param>
    /// <param name="tools">What may be called.</param>
    /// <param name="hasSchema">Whether a function's arguments are held to its schema; where not, they are any JSON object.</param>
    public static string Of(ToolFormat form, ToolUse tools, Func<ToolDefinition, bool> hasSchema)
    {
        ToolDefinition[] allowed = [.. tools.Definitions.Where(tool => tools.Allows(tool.Name))];
        var grammar = new StringBuilder("root ::= call");
        if (tools.ParallelCalls)
            grammar.Append(" (").Append(form == ToolFormat.Llama3 ? "\"; \"" : "\"\\n\"").Append(" call)*");
        grammar.Append("\ncall ::= ");
        if (form == ToolFormat.Hermes)
            grammar.Append("\"<tool_call>\\n\" object \"\\n</tool_call>\"\nobject ::= ");
        string arguments = form == ToolFormat.Llama3 ? "parameters" : "arguments";
        grammar.AppendJoin(" | ", Enumerable.Range(0, allowed.Length).Select(i => $"call-{i}")).Append('\n');
        for (int i = 0; i < allowed.Length; i++)
        {
            string schema = allowed[i].Parameters is not { } parameters ? "\"{}\"" : "%json " + (hasSchema(allowed[i]) ? parameters : AnyObject);
            grammar.Append($$"""call-{{i}} ::= "{\"name\": \"{{allowed[i].Name}}\", \"{{arguments}}\": " arguments-{{i}} {{Close}}""").Append('\n');
            grammar.Append($"arguments-{i} ::= {schema}\n");
        }

        return grammar.ToString();
    }
}
