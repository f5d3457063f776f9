using System.Text.Json.Serialization;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>What one piece adds to one answer.</summary>
/// <param name="Index">Which of the n answers.</param>
/// <param name="Delta">The addition.</param>
/// <param name="Logprobs">Log probabilities of the piece's token; null = not asked for.</param>
/// <param name="FinishReason">Why the answer ended; null = it goes on.</param>
internal sealed record ChatChunkChoice(
    int Index,
    ChatDelta Delta,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] ChatLogprobs? Logprobs = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason = null)
{
    /// <summary>What an event adds to its answer; null = nothing that is written.</summary>
    /// <param name="answered">The event.</param>
    /// <param name="logprobs">Log probabilities that come with it; null = none.</param>
    public static ChatChunkChoice? Of(AnswerEvent answered, ChatLogprobs? logprobs) => answered switch
    {
        AnswerToken { Text.Length: > 0 } token => new(token.Choice, new ChatDelta(Content: token.Text), logprobs),
        AnswerToken token when logprobs is not null => new(token.Choice, new ChatDelta(), logprobs),
        AnswerText text => new(text.Choice, new ChatDelta(Content: text.Text)),
        AnswerToolCall call => new(call.Choice, new ChatDelta(ToolCalls: [new ChatToolCall(call.Id, "function", new ChatFunctionCall(call.Name, ""), call.Index)])),
        AnswerToolArguments more => new(more.Choice, new ChatDelta(ToolCalls: [new ChatToolCall(null, null, new ChatFunctionCall(null, more.Text), more.Index)])),
        _ => null,
    };
}
