using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of <c>POST /v1/completions</c>.</summary>
internal static class TextFields
{
    /// <summary>The fields.</summary>
    public static FieldTable Table { get; } = new("this request",
    [
        Honoured("prompt", ValueKinds.Text | ValueKinds.List, "\"Once\"", "A string, a list of strings, a list of token ids, or a list of such lists; at most 256 prompts.") with { IsRequired = true },
        Honoured("echo", ValueKinds.Boolean, "true", "Whether the answer begins with the prompt; with `max_tokens` 0 it is the prompt alone."),
        Honoured("logprobs", ValueKinds.Integer, "2", "0 to 20 alternatives beside each token; absent = no log probabilities."),
        Honoured("best_of", ValueKinds.Integer, "1", "With `use_beam_search`: how many beams, `n` to 64. Without, only the value of `n`: all candidates are returned."),
        Refused("suffix", "text after the answer", "\"\""),
        Refused("add_special_tokens", "a prompt without the model's own opening tokens", "true"),
        Refused("prompt_embeds", "a prompt of embeddings"),
        Ignored("prompt_cache_key", "A hint where the prefix may be cached; it is looked for everywhere."),
        .. SamplingFields.All,
    ])
    {
        Example = """{"prompt":"Once","max_tokens":2}""",
    };
}
