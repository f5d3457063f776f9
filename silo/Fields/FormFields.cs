using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields that say what an answer must look like: OpenAI's, vLLM's and llama.cpp's. One of them may.</summary>
internal static class FormFields
{
    private const string Schema = """{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}""";

    private static readonly FieldTable NamedSchema = new("'json_schema'",
    [
        Honoured("schema", ValueKinds.Object, Schema, "The schema ([structured-output.md](structured-output.md))."),
        Ignored("name", "What the schema is called."),
        Ignored("description", "What the schema is for."),
        Ignored("strict", "Whether the schema is held exactly; it always is."),
    ])
    {
        Example = $$"""{"name":"a","schema":{{Schema}}}""",
    };

    private static readonly FieldTable ResponseFormat = new("'response_format'",
    [
        Honoured("type", ValueKinds.Text, "\"json_object\"", "`text`, `json_object` or `json_schema`.") with { IsRequired = true },
        Honoured("json_schema", ValueKinds.Object, NamedSchema.Example, "The schema of the type `json_schema`.") with { Inner = NamedSchema },
        Honoured("schema", ValueKinds.Object, Schema, "llama.cpp's place of the schema."),
    ])
    {
        Example = """{"type":"json_object"}""",
    };

    private static readonly FieldTable StructuredOutputs = new("'structured_outputs'",
    [
        Honoured("json", ValueKinds.Object | ValueKinds.Text, Schema, "A JSON Schema, or its text."),
        Honoured("regex", ValueKinds.Text, "\"[a-z]{3}\"", "A regular expression for the whole answer."),
        Honoured("choice", ValueKinds.List, "[\"yes\",\"no\"]", "Texts, one of which is the answer."),
        Honoured("grammar", ValueKinds.Text, "\"root ::= [a-z]+\"", "A grammar in GBNF."),
        Honoured("json_object", ValueKinds.Boolean, "true", "true: any JSON object."),
        Refused("structural_tag", "an answer held to tags"),
        Refused("whitespace_pattern", "a pattern for white space"),
        Ignored("disable_any_whitespace", "Whether white space is left out; there is one space at most."),
        Refused("disable_additional_properties", "schemas that are read otherwise", "false"),
        Ignored("disable_fallback", "Which library holds an answer to a form."),
    ]);

    /// <summary>The fields.</summary>
    public static IReadOnlyList<Field> All { get; } =
    [
        Honoured("response_format", ValueKinds.Object, ResponseFormat.Example, "What the answer must look like ([structured-output.md](structured-output.md)).") with { Inner = ResponseFormat },
        Honoured("guided_json", ValueKinds.Object | ValueKinds.Text, Schema, "A JSON Schema, or its text."),
        Honoured("guided_regex", ValueKinds.Text, "\"[a-z]{3}\"", "A regular expression for the whole answer."),
        Honoured("guided_choice", ValueKinds.List, "[\"yes\",\"no\"]", "Texts, one of which is the answer."),
        Honoured("guided_grammar", ValueKinds.Text, "\"root ::= [a-z]+\"", "A grammar in GBNF."),
        Honoured("structured_outputs", ValueKinds.Object, "{\"json_object\":true}", "vLLM's newer place of these.") with { Inner = StructuredOutputs },
        Honoured("grammar", ValueKinds.Text, "\"root ::= [a-z]+\"", "A grammar in GBNF, as llama.cpp reads it; empty = none."),
        Honoured("json_schema", ValueKinds.Object, Schema, "llama.cpp's place of a JSON Schema."),
    ];
}
