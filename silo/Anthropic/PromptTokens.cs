using KvTiers.Conversations;
using KvTiers.Inference.Tokens;

namespace KvTiers.Silo.Anthropic;

/// <summary>A prompt's token ids, and how many of them stand before each breakpoint.</summary>
/// <param name="Ids">All ids. After a last message of the assistant they end with its text, for the model to go on from.</param>
/// <param name="BreakpointEnds">[breakpoints]: tokens before each.</param>
internal sealed record PromptTokens(int[] Ids, IReadOnlyList<int> BreakpointEnds)
{
    /// <summary>Encodes a prompt.</summary>
    /// <exception cref="TemplateException">The template refused the messages.</exception>
    public static PromptTokens Of(Prompt prompt, ChatPrompt chat)
    {
        bool continues = prompt.Messages[^1].Role == "assistant";
        ChatTokens tokens = chat.Encode(prompt.Messages, addGenerationPrompt: !continues, prompt.Tools?.Definitions);
        int[] ids = tokens.Ids;
        if (continues && ids.AsSpan().EndsWith([.. chat.AnswerClosingIds])) ids = ids[..^chat.AnswerClosingIds.Count];
        return new PromptTokens(ids, [.. prompt.Breakpoints.Select(breakpoint => Math.Min(ids.Length, End(breakpoint, prompt, tokens, chat)))]);
    }

    // A breakpoint inside a message stands where the ids of a chat that ends with it go other ways.
    private static int End(CacheBreakpoint breakpoint, Prompt prompt, ChatTokens tokens, ChatPrompt chat)
    {
        int index = breakpoint.Message;
        IReadOnlyList<ChatMessage> messages = prompt.Messages;
        string content = messages[index].Content;
        if (breakpoint.Length == content.Length) return tokens.MessageEnds[index];
        int start = index == 0 ? 0 : tokens.MessageEnds[index - 1];
        ChatMessage[] upTo = [.. messages.Take(index), messages[index] with { Content = content[..breakpoint.Length], ToolCalls = null }];
        int[] ids = chat.Encode(upTo, addGenerationPrompt: false, known: index, prompt.Tools?.Definitions).Ids;
        return start + tokens.Ids.AsSpan(start).CommonPrefixLength(ids);
    }
}
