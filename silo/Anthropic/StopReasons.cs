using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Anthropic;

/// <summary>Why an answer ended, in Anthropic's words.</summary>
internal static class StopReasons
{
    /// <summary>The reason of an answer that is complete.</summary>
    /// <param name="end">Its end.</param>
    /// <param name="maxTokens">Most tokens that were asked for.</param>
    public static string Of(AnswerEnd end, int maxTokens) =>
        end.FinishReasons[0] == "tool_calls" ? "tool_use"
        : end.FinishReasons[0] != "length" ? StopSequence(end) is null ? "end_turn" : "stop_sequence"
        : end.Usage.CompletionTokens < maxTokens ? "model_context_window_exceeded"
        : "max_tokens";

    /// <summary>The stop sequence that ended it; null = none did.</summary>
    public static string? StopSequence(AnswerEnd end) => end.StopStrings[0];
}
