using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Silo.OpenAi;

/// <summary>A checked chat request.</summary>
/// <param name="Messages">The whole history, at least one message.</param>
/// <param name="Common">What it shares with text completions.</param>
/// <param name="Tools">What the answer may call; null = nothing.</param>
/// <param name="Conversation">Names the conversation whose log the history is compared with; null = none.</param>
/// <param name="Ending">How the prompt ends; in a conversation always with what makes the model answer.</param>
internal sealed record ChatCall(IReadOnlyList<ChatMessage> Messages, CompletionCall Common, ToolUse? Tools, string? Conversation, PromptEnding Ending)
{
    /// <summary>Whether messages may be left out of the prompt; null = not said.</summary>
    public Truncation? Truncation { get; init; }

    /// <summary>Variables for the chat template; null = none.</summary>
    public IReadOnlyDictionary<string, JsonElement>? TemplateVariables { get; init; }
}
