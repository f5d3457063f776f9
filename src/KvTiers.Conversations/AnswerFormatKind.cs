namespace KvTiers.Conversations;

/// <summary>How an <see cref="AnswerFormat"/> is written.</summary>
public enum AnswerFormatKind
{
    /// <summary>Any JSON object; the text is empty.</summary>
    JsonObject,

    /// <summary>A value of a JSON Schema.</summary>
    JsonSchema,

    /// <summary>A text that a regular expression matches from its first character to its last.</summary>
    Regex,

    /// <summary>One of a JSON list of strings.</summary>
    Choice,

    /// <summary>A text of a grammar in GBNF.</summary>
    Grammar,
}
