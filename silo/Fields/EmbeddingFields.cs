using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of <c>POST /v1/embeddings</c>.</summary>
internal static class EmbeddingFields
{
    /// <summary>The fields.</summary>
    public static FieldTable Table { get; } = new("this request",
    [
        Honoured("model", ValueKinds.Text, "\"tiny\"", "Name of the loaded model; any other is 404."),
        Honoured("input", ValueKinds.Text | ValueKinds.List, "[\"Hello\",\"there\"]", "A string, a list of strings, a list of token ids, or a list of such lists.") with { IsRequired = true },
        Honoured("encoding_format", ValueKinds.Text, "\"base64\"", "`float` or `base64`."),
        Honoured("dimensions", ValueKinds.Integer, "64", "Length of the vectors: the model's own only."),
        Honoured("pooling", ValueKinds.Text, "\"last\"", "`mean` or `last`: of all tokens' states, or the last one's."),
        Ignored("user", "Who asks, to the caller."),
        Refused("truncate_prompt_tokens", "a shortened input"),
        Refused("add_special_tokens", "an input without the model's own opening tokens", "true"),
        Refused("normalize", "vectors of another length than 1", "true"),
        Refused("embd_normalize", "vectors of another length than 1", "2"),
        Refused("messages", "a chat as input"),
        Ignored("priority", "Which request is served first."),
    ])
    {
        Example = """{"input":"Hello"}""",
    };
}
