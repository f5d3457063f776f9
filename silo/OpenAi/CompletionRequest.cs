using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>Body of <c>POST /v1/completions</c>.</summary>
internal sealed record CompletionRequest : SamplingParameters
{
    /// <summary>A string, a list of strings, a list of token ids, or a list of such lists.</summary>
    public JsonElement? Prompt { get; init; }

    /// <summary>Whether the answer begins with the prompt.</summary>
    public bool? Echo { get; init; }

    /// <summary>Alternatives to report beside each token, 0 to 20; absent = no log probabilities.</summary>
    public int? Logprobs { get; init; }

    /// <summary>Candidates of which the best are returned; only the value of <c>n</c> is taken.</summary>
    public int? BestOf { get; init; }
}
