using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.OpenAi;

/// <summary>Checks what a request for beam search asks for. Every fault is a 400 that names the parameter.</summary>
internal static class BeamRules
{
    private const double MostLengthPenalty = 10;

    /// <summary>The beam search that a request asks for; null = none.</summary>
    /// <param name="request">As the caller sent it.</param>
    /// <param name="withLogprobs">Whether it asks for log probabilities.</param>
    /// <exception cref="ApiException">A value is out of range, or asks for what a beam search does not do.</exception>
    public static BeamSearchOptions? Check(SamplingParameters request, bool withLogprobs)
    {
        if (request.UseBeamSearch != true)
        {
            return request.LengthPenalty is null or 1
                ? null
                : throw ApiException.BadRequest("'length_penalty' is only allowed when 'use_beam_search' is true.", "length_penalty");
        }

        if (Excluded(request, withLogprobs) is { } param)
            throw ApiException.BadRequest($"'{param}' is not possible when 'use_beam_search' is true: it looks for the likeliest answers, whole.", param);
        if (request.LengthPenalty is { } penalty and not (>= -MostLengthPenalty and <= MostLengthPenalty))
            throw ApiException.BadRequest($"'length_penalty' is {penalty}; it must be from {-MostLengthPenalty} to {MostLengthPenalty}.", "length_penalty");
        int choices = CompletionRules.InRange(request.N ?? 1, 1, BeamSearchOptions.MaxWidth, "n");
        int width = (request as CompletionRequest)?.BestOf is { } best ? CompletionRules.InRange(best, choices, BeamSearchOptions.MaxWidth, "best_of") : choices;
        return new BeamSearchOptions { Width = width, LengthPenalty = request.LengthPenalty ?? 1 };
    }

    // The first parameter that would have to change the choice of single tokens, or tell of it.
    private static string? Excluded(SamplingParameters request, bool withLogprobs) => request switch
    {
        { Temperature: not (null or 0) } => "temperature",
        { TopP: not (null or 1) } => "top_p",
        { TopK: not (null or 0) } => "top_k",
        { MinP: not (null or 0) } => "min_p",
        { RepetitionPenalty: not (null or 1) } => "repetition_penalty",
        { RepeatPenalty: not (null or 1) } => "repeat_penalty",
        { PresencePenalty: not (null or 0) } => "presence_penalty",
        { FrequencyPenalty: not (null or 0) } => "frequency_penalty",
        { LogitBias.Count: > 0 } => "logit_bias",
        { Stop.Count: > 0 } => "stop",
        { StopTokenIds.Count: > 0 } => "stop_token_ids",
        { BadWords.Count: > 0 } => "bad_words",
        { MinTokens: not (null or 0) } => "min_tokens",
        { Stream: true } => "stream",
        _ => withLogprobs ? "logprobs" : null,
    };
}
