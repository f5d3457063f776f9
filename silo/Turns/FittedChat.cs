using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Turns;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.Turns;

/// <summary>A chat that is sent whole each time, shortened to the model's context where the request lets it be.</summary>
/// <param name="Messages">The messages that stay.</param>
/// <param name="Cut">What was left out; null = nothing.</param>
internal sealed record FittedChat(IReadOnlyList<ChatMessage> Messages, ContextCut? Cut)
{
    /// <summary>The chat, shortened with <c>truncation: auto</c>.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="truncation">Whether some may be left out; null = they may not.</param>
    /// <param name="chat">Writes them as a prompt.</param>
    /// <param name="tools">The functions that the answer may call; null = none.</param>
    /// <param name="maxTokens">Most tokens of the answer.</param>
    /// <param name="model">What answers.</param>
    /// <remarks>The same messages are left out from one request of a chat to the next, until the context is full again, so that the requests between find their prompt in the cache.</remarks>
    public static FittedChat Of(IReadOnlyList<ChatMessage> messages, Truncation? truncation, ChatPrompt chat, IReadOnlyList<ToolDefinition>? tools, int maxTokens, LoadedModel model)
    {
        if (truncation != Truncation.Auto) return new FittedChat(messages, null);
        var room = new ContextRoom(model.Engine.MaxTokenCount, maxTokens, model.ContextKeep);
        ChatTokens tokens = chat.Encode(messages, addGenerationPrompt: true, tools);
        ContextPiece[] pieces = [.. messages.Select((message, i) => new ContextPiece(message.Role, Length(i)))];
        if (ContextCutter.Replay(pieces, tokens.Ids.Length - tokens.MessageEnds[^1], ContextPolicy.DropOldest, room) is not { } kept) return new FittedChat(messages, null);

        ChatMessage[] left = [.. messages.Where((_, i) => kept[i])];
        int first = Array.IndexOf(kept, false);
        return new FittedChat(left, new ContextCut
        {
            Policy = ContextPolicy.DropOldest,
            MessagesDropped = messages.Count - left.Length,
            TokensDropped = pieces.Where((_, i) => !kept[i]).Sum(piece => piece.Tokens),
            FirstDropped = first,
            MessagesKept = left.Length,
            TokensBeforeCut = first == 0 ? 0 : tokens.MessageEnds[first - 1],
            FormerPromptTokens = tokens.Ids.Length,
            PromptTokens = chat.Encode(left, addGenerationPrompt: true, tools).Ids.Length,
            ContextTokens = room.ContextTokens,
            AnswerReserve = room.AnswerReserve,
        });

        int Length(int index) => tokens.MessageEnds[index] - (index == 0 ? 0 : tokens.MessageEnds[index - 1]);
    }
}
