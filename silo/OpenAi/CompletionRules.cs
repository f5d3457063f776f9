using System.Globalization;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.OpenAi;

/// <summary>Checks the parameters that chat and text completions have in common. Every fault is a 400 that names the parameter.</summary>
internal static class CompletionRules
{
    private const int MostStops = 16;

    /// <summary>The parameters, checked.</summary>
    /// <param name="request">As the caller sent it.</param>
    /// <param name="topLogProbs">Alternatives beside each token; null = no log probabilities.</param>
    /// <param name="model">The loaded model's shape.</param>
    /// <param name="defaults">How tokens are chosen where the request does not say.</param>
    /// <exception cref="ApiException">A value is out of range, or asks for what the server does not do.</exception>
    public static CompletionCall Check(SamplingParameters request, int? topLogProbs, ModelConfig model, SamplingOptions defaults)
    {
        Unsupported.Refuse(request.Others);
        if (request.StreamOptions is not null && request.Stream != true)
            throw ApiException.BadRequest("'stream_options' is only allowed when 'stream' is true.", "stream_options");
        if (request.MaxTokens is { } most) CheckMaxTokens(most, "max_tokens", model);
        IReadOnlyList<string> stop = request.Stop ?? [];
        if (stop.Count > MostStops || stop.Any(string.IsNullOrEmpty))
            throw ApiException.BadRequest($"'stop' must hold at most {MostStops} strings, none of them empty.", "stop");

        return new CompletionCall
        {
            Sampling = Sampling(request, topLogProbs, model, defaults),
            MaxTokens = request.MaxTokens,
            Choices = InRange(request.N ?? 1, 1, 128, "n"),
            Stop = stop,
            Stream = request.Stream ?? false,
            IncludeUsage = request.StreamOptions?.IncludeUsage ?? false,
        };
    }

    /// <summary>A number of tokens to generate: at least 1 and no more than the model's context holds.</summary>
    /// <exception cref="ApiException">It is not.</exception>
    public static int CheckMaxTokens(int value, string param, ModelConfig model) => value < 1 || value > model.ContextLength
        ? throw ApiException.BadRequest($"'{param}' is {value}; it must be from 1 to {model.ContextLength}, the model's context.", param)
        : value;

    /// <summary>A number within its range.</summary>
    /// <exception cref="ApiException">It is not.</exception>
    public static int InRange(int value, int least, int most, string param) => value < least || value > most
        ? throw ApiException.BadRequest($"'{param}' is {value}; it must be from {least} to {most}.", param)
        : value;

    private static SamplingOptions Sampling(SamplingParameters request, int? topLogProbs, ModelConfig model, SamplingOptions defaults)
    {
        var sampling = new SamplingOptions
        {
            Temperature = request.Temperature ?? defaults.Temperature,
            TopP = request.TopP ?? defaults.TopP,
            TopK = request.TopK ?? defaults.TopK,
            MinP = request.MinP ?? defaults.MinP,
            RepetitionPenalty = request.RepetitionPenalty ?? defaults.RepetitionPenalty,
            PresencePenalty = request.PresencePenalty ?? defaults.PresencePenalty,
            FrequencyPenalty = request.FrequencyPenalty ?? defaults.FrequencyPenalty,
            LogitBias = [.. (request.LogitBias ?? new Dictionary<string, double>()).Select(pair => new LogitBias(TokenId(pair.Key, model), pair.Value))],
            Seed = request.Seed,
            TopLogProbs = topLogProbs,
        };
        sampling.Validate();
        return sampling;
    }

    private static int TokenId(string text, ModelConfig model) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id < model.Vocabulary
            ? id
            : throw ApiException.BadRequest($"'logit_bias' has the key '{text}'; it must be a token id from 0 to {model.Vocabulary - 1}.", "logit_bias");
}
