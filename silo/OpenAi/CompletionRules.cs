using System.Globalization;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.OpenAi;

/// <summary>Checks the parameters that chat and text completions have in common. Every fault is a 400 that names the parameter.</summary>
internal static class CompletionRules
{
    private const int MostStops = 16;
    private const int MostSaltCharacters = 1024;

    /// <summary>The parameters, checked.</summary>
    /// <param name="request">As the caller sent it.</param>
    /// <param name="topLogProbs">Alternatives beside each token; null = no log probabilities.</param>
    /// <param name="model">The loaded model's shape.</param>
    /// <param name="defaults">How tokens are chosen where the request does not say.</param>
    /// <exception cref="ApiException">A value is out of range, or asks for what the server does not do.</exception>
    public static CompletionCall Check(SamplingParameters request, int? topLogProbs, ModelConfig model, SamplingOptions defaults)
    {
        if (request.StreamOptions is not null && request.Stream != true)
            throw ApiException.BadRequest("'stream_options' is only allowed when 'stream' is true.", "stream_options");
        if (request.CacheSalt is { Length: 0 or > MostSaltCharacters })
            throw ApiException.BadRequest($"'cache_salt' has {request.CacheSalt.Length} characters; it must have 1 to {MostSaltCharacters}.", "cache_salt");
        if (request.TruncatePromptTokens is { } shortened and not -1 and < 1)
            throw ApiException.BadRequest($"'truncate_prompt_tokens' is {shortened}; it must be at least 1, or -1 for as many as fit.", "truncate_prompt_tokens");
        if (request is { PromptLogprobs: not null, Stream: true })
            throw ApiException.BadRequest("'prompt_logprobs' is not possible when 'stream' is true.", "prompt_logprobs");

        BeamSearchOptions? beams = BeamRules.Check(request, topLogProbs is not null);
        (AnswerFormat Format, string Param)? form = FormParameters.Read(request);
        if (beams is not null && form is { Param: string param })
            throw ApiException.BadRequest($"'{param}' is not possible when 'use_beam_search' is true: beams are not held to a form.", param);
        return new CompletionCall
        {
            Sampling = beams is null ? Sampling(request, topLogProbs, model, defaults) : SamplingOptions.Greedy with { Seed = request.Seed },
            Beams = beams,
            MaxTokens = MaxTokens(request),
            Choices = InRange(request.N ?? 1, 1, GenerationRequest.MaxChoices, "n"),
            Stop = Texts(request.Stop, MostStops, "stop"),
            StopTokenIds = StopTokens(request.StopTokenIds, model),
            IncludeStop = request.IncludeStopStrInOutput ?? false,
            IgnoreEndOfText = request.IgnoreEos ?? false,
            MinTokens = InRange(request.MinTokens ?? 0, 0, int.MaxValue, "min_tokens"),
            BadWords = Texts(request.BadWords, GenerationRequest.MaxBadWords, "bad_words"),
            Form = form,
            CacheSalt = request.CacheSalt,
            UseCache = request.CachePrompt ?? true,
            PromptTokens = request.TruncatePromptTokens,
            PromptLogProbs = request.PromptLogprobs is { } most ? InRange(most, 0, 20, "prompt_logprobs") : null,
            Stream = request.Stream ?? false,
            IncludeUsage = request.StreamOptions?.IncludeUsage ?? false,
        };
    }

    /// <summary>A number of tokens to generate: at least 1, or −1 for no limit. What the context has no room for is left out.</summary>
    /// <exception cref="ApiException">It is neither.</exception>
    public static int TokenLimit(long value, string param) => value switch
    {
        -1 => int.MaxValue,
        >= 1 => (int)Math.Min(value, int.MaxValue),
        _ => throw ApiException.BadRequest($"'{param}' is {value}; it must be at least 1, or -1 for no limit.", param),
    };

    private static int? MaxTokens(SamplingParameters request)
    {
        int? most = request.MaxTokens is { } given ? TokenLimit(given, "max_tokens") : null;
        int? other = request.NPredict is { } predict ? TokenLimit(predict, "n_predict") : null;
        return most is null || other is null || most == other
            ? most ?? other
            : throw ApiException.BadRequest("'n_predict' and 'max_tokens' are two names of one thing, and differ.", "n_predict");
    }

    private static double? RepetitionPenalty(SamplingParameters request) =>
        request.RepeatPenalty is null || request.RepetitionPenalty is null || request.RepeatPenalty == request.RepetitionPenalty
            ? request.RepetitionPenalty ?? request.RepeatPenalty
            : throw ApiException.BadRequest("'repeat_penalty' and 'repetition_penalty' are two names of one thing, and differ.", "repeat_penalty");

    private static IReadOnlyList<string> Texts(IReadOnlyList<string>? texts, int most, string param) => texts switch
    {
        null => [],
        _ when texts.Count > most || texts.Any(string.IsNullOrEmpty) => throw ApiException.BadRequest($"'{param}' must hold at most {most} strings, none of them empty.", param),
        _ => texts,
    };

    private static IReadOnlyList<int> StopTokens(IReadOnlyList<int>? ids, ModelConfig model) =>
        ids is null ? []
        : ids.Count > GenerationRequest.MaxStopTokens ? throw ApiException.BadRequest($"'stop_token_ids' must hold at most {GenerationRequest.MaxStopTokens} token ids.", "stop_token_ids")
        : ids.Any(id => id < 0 || id >= model.Vocabulary) ? throw ApiException.BadRequest($"'stop_token_ids' must hold token ids from 0 to {model.Vocabulary - 1}.", "stop_token_ids")
        : ids;

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
            RepetitionPenalty = RepetitionPenalty(request) ?? defaults.RepetitionPenalty,
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
