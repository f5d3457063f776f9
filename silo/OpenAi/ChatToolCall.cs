using KvTiers.Conversations;

namespace KvTiers.Silo.OpenAi;

/// <summary>A call in an answer, or in a stream what a piece adds to one.</summary>
/// <param name="Id">Names the call; in a stream in its first piece only.</param>
/// <param name="Type"><c>function</c>; in a stream in its first piece only.</param>
/// <param name="Function">The function.</param>
/// <param name="Index">In a stream, which call; null in a whole answer.</param>
internal sealed record ChatToolCall(string? Id, string? Type, ChatFunctionCall Function, int? Index = null)
{
    /// <summary>A whole call.</summary>
    public static ChatToolCall Of(ToolCall call) => new(call.Id, "function", new ChatFunctionCall(call.Name, call.Arguments));
}
