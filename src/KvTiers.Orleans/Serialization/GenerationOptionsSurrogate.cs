using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Serialization;

/// <summary><see cref="GenerationOptions"/> in a message.</summary>
[GenerateSerializer]
internal struct GenerationOptionsSurrogate
{
    [Id(0)]
    public int? MaxTokens;

    [Id(1)]
    public double? Temperature;

    [Id(2)]
    public double? TopP;

    [Id(3)]
    public double? MinP;

    [Id(4)]
    public double? RepetitionPenalty;

    [Id(5)]
    public double? PresencePenalty;

    [Id(6)]
    public double? FrequencyPenalty;

    [Id(7)]
    public int? TopK;

    [Id(8)]
    public int[]? BiasIds;

    [Id(9)]
    public double[]? Biases;

    [Id(10)]
    public long? Seed;

    [Id(11)]
    public string[]? Stop;

    [Id(12)]
    public int? TopLogProbs;

    [Id(13)]
    public bool? UseCache;

    /// <summary><see cref="ToolUse"/> as over HTTP; null = no functions.</summary>
    [Id(14)]
    public string? Tools;

    [Id(15)]
    public string? Format;

    [Id(20)]
    public int[]? StopTokenIds;

    [Id(21)]
    public bool? IncludeStop;

    [Id(22)]
    public bool? IgnoreEndOfText;

    [Id(23)]
    public int? MinTokens;

    [Id(24)]
    public string[]? BadWords;
}

/// <summary>Exchanges the two.</summary>
[RegisterConverter]
internal sealed class GenerationOptionsConverter : IConverter<GenerationOptions, GenerationOptionsSurrogate>
{
    public GenerationOptions ConvertFromSurrogate(in GenerationOptionsSurrogate surrogate) => new()
    {
        MaxTokens = surrogate.MaxTokens,
        Temperature = surrogate.Temperature,
        TopP = surrogate.TopP,
        MinP = surrogate.MinP,
        RepetitionPenalty = surrogate.RepetitionPenalty,
        PresencePenalty = surrogate.PresencePenalty,
        FrequencyPenalty = surrogate.FrequencyPenalty,
        TopK = surrogate.TopK,
        LogitBias = surrogate.BiasIds is { } ids ? [.. ids.Zip(WireNames.Need(surrogate.Biases), (id, bias) => new LogitBias(id, bias))] : null,
        Seed = surrogate.Seed,
        Stop = surrogate.Stop,
        TopLogProbs = surrogate.TopLogProbs,
        UseCache = surrogate.UseCache ?? true,
        Tools = surrogate.Tools is null ? null : JsonSerializer.Deserialize<ToolUse>(surrogate.Tools, ConversationJson.Options),
        StopTokenIds = surrogate.StopTokenIds,
        IncludeStop = surrogate.IncludeStop,
        IgnoreEndOfText = surrogate.IgnoreEndOfText,
        MinTokens = surrogate.MinTokens,
        BadWords = surrogate.BadWords,
        Format = surrogate.Format is null ? null : JsonSerializer.Deserialize<AnswerFormat>(surrogate.Format, ConversationJson.Options),
    };

    public GenerationOptionsSurrogate ConvertToSurrogate(in GenerationOptions value) => new()
    {
        MaxTokens = value.MaxTokens,
        Temperature = value.Temperature,
        TopP = value.TopP,
        MinP = value.MinP,
        RepetitionPenalty = value.RepetitionPenalty,
        PresencePenalty = value.PresencePenalty,
        FrequencyPenalty = value.FrequencyPenalty,
        TopK = value.TopK,
        BiasIds = value.LogitBias?.Select(one => one.Id).ToArray(),
        Biases = value.LogitBias?.Select(one => one.Bias).ToArray(),
        Seed = value.Seed,
        Stop = value.Stop?.ToArray(),
        TopLogProbs = value.TopLogProbs,
        UseCache = value.UseCache,
        Tools = value.Tools is null ? null : JsonSerializer.Serialize(value.Tools, ConversationJson.Options),
        StopTokenIds = value.StopTokenIds?.ToArray(),
        IncludeStop = value.IncludeStop,
        IgnoreEndOfText = value.IgnoreEndOfText,
        MinTokens = value.MinTokens,
        BadWords = value.BadWords?.ToArray(),
        Format = value.Format is null ? null : JsonSerializer.Serialize(value.Format, ConversationJson.Options),
    };
}
