using System.Text.Json;
using System.Text.Json.Serialization;

namespace KvTiers.Silo.OpenAi;

/// <summary>What chat and text completions have in common, as a caller sends it.</summary>
internal abstract record SamplingParameters
{
    /// <summary>Name of the model; absent = the one that is loaded.</summary>
    public string? Model { get; init; }

    /// <summary>Most tokens to generate.</summary>
    public long? MaxTokens { get; init; }

    /// <summary>Extension: llama.cpp's name of <c>max_tokens</c>.</summary>
    public long? NPredict { get; init; }

    /// <summary>0 = the likeliest token always; up to 2.</summary>
    public double? Temperature { get; init; }

    /// <summary>Share of probability that is drawn from.</summary>
    public double? TopP { get; init; }

    /// <summary>Extension: how many of the likeliest tokens are drawn from; 0 = all.</summary>
    public int? TopK { get; init; }

    /// <summary>Extension: drops tokens below this share of the likeliest one's probability.</summary>
    public double? MinP { get; init; }

    /// <summary>Extension: divides the logits of tokens that stand already; 1 = off.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Extension: llama.cpp's name of <c>repetition_penalty</c>.</summary>
    public double? RepeatPenalty { get; init; }

    /// <summary>−2 to 2.</summary>
    public double? PresencePenalty { get; init; }

    /// <summary>−2 to 2.</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary>Token id → what is added to its logit, −100 to 100.</summary>
    public IReadOnlyDictionary<string, double>? LogitBias { get; init; }

    /// <summary>Seed of the draw.</summary>
    public long? Seed { get; init; }

    /// <summary>Answers to one prompt.</summary>
    public int? N { get; init; }

    /// <summary>Strings that end the answer.</summary>
    [JsonConverter(typeof(StringOrListConverter))]
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary>Extension: tokens that end the answer.</summary>
    public IReadOnlyList<int>? StopTokenIds { get; init; }

    /// <summary>Extension: whether what ended the answer is its end.</summary>
    public bool? IncludeStopStrInOutput { get; init; }

    /// <summary>Extension: whether the answer goes on past the end of the text.</summary>
    public bool? IgnoreEos { get; init; }

    /// <summary>Extension: least number of tokens to generate.</summary>
    public int? MinTokens { get; init; }

    /// <summary>Extension: text that the answer never holds.</summary>
    public IReadOnlyList<string>? BadWords { get; init; }

    /// <summary>Extension: keeps the request's blocks apart from those under other salts.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>Extension: false computes the whole prompt.</summary>
    public bool? CachePrompt { get; init; }

    /// <summary>Extension: most tokens of the prompt, whose end is kept; −1 = as many as fit.</summary>
    public int? TruncatePromptTokens { get; init; }

    /// <summary>Extension: alternatives to report beside each token of the prompt.</summary>
    public int? PromptLogprobs { get; init; }

    /// <summary>Extension: whether the likeliest answers as wholes are looked for.</summary>
    public bool? UseBeamSearch { get; init; }

    /// <summary>Extension: how a beam search weighs an answer's length.</summary>
    public double? LengthPenalty { get; init; }

    /// <summary>What the answer must look like.</summary>
    public ResponseFormat? ResponseFormat { get; init; }

    /// <summary>Extension: a JSON Schema, or its text.</summary>
    public JsonElement? GuidedJson { get; init; }

    /// <summary>Extension: a regular expression for the whole answer.</summary>
    public string? GuidedRegex { get; init; }

    /// <summary>Extension: texts, one of which is the answer.</summary>
    public IReadOnlyList<string>? GuidedChoice { get; init; }

    /// <summary>Extension: a grammar.</summary>
    public string? GuidedGrammar { get; init; }

    /// <summary>Extension: vLLM's newer place of the four before it.</summary>
    public StructuredOutputs? StructuredOutputs { get; init; }

    /// <summary>Extension: llama.cpp's name of a grammar.</summary>
    public string? Grammar { get; init; }

    /// <summary>Extension: llama.cpp's place of a JSON Schema.</summary>
    public JsonElement? JsonSchema { get; init; }

    /// <summary>Whether the answer is sent piece by piece.</summary>
    public bool? Stream { get; init; }

    /// <summary>How the pieces are sent.</summary>
    public StreamOptions? StreamOptions { get; init; }
}
