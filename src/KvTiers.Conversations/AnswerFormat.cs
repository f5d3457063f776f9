using System.Text.Json;

namespace KvTiers.Conversations;

/// <summary>What an answer must look like. The model can say nothing else; an answer that is cut off by its length is the beginning of one.</summary>
/// <param name="Kind">How it is written.</param>
/// <param name="Text">The schema, expression, list or grammar itself.</param>
public sealed record AnswerFormat(AnswerFormatKind Kind, string Text)
{
    /// <summary>Any JSON object.</summary>
    public static AnswerFormat JsonObject { get; } = new(AnswerFormatKind.JsonObject, "");

    /// <summary>A value of a JSON Schema.</summary>
    public static AnswerFormat JsonSchema(string schema) => new(AnswerFormatKind.JsonSchema, schema);

    /// <summary>A text that a regular expression matches as a whole.</summary>
    public static AnswerFormat Regex(string pattern) => new(AnswerFormatKind.Regex, pattern);

    /// <summary>One of these texts.</summary>
    public static AnswerFormat Choice(IEnumerable<string> choices) => new(AnswerFormatKind.Choice, JsonSerializer.Serialize(choices));

    /// <summary>A text of a grammar in GBNF, as llama.cpp reads it.</summary>
    public static AnswerFormat Grammar(string grammar) => new(AnswerFormatKind.Grammar, grammar);
}
