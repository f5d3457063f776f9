using KvTiers.Conversations;

namespace KvTiers.Silo.Responses;

/// <summary>A response that is stored: where, and what of it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="View">The conversation that it is in.</param>
/// <param name="Index">Index of its answer among the conversation's messages.</param>
/// <param name="Note">What is kept of it; of a turn that is not the conversation's last one, of the last one.</param>
/// <param name="IsLast">Whether it is the conversation's last turn, so that note and usage are its own.</param>
internal sealed record StoredResponse(ResponseId Id, ConversationView View, int Index, ResponseNote? Note, bool IsLast)
{
    /// <summary>Finds a response in its conversation; null = it is not there.</summary>
    public static StoredResponse? In(ConversationView view, ResponseId id)
    {
        ResponseNote? note = ResponseNote.Read(view.LastTurn?.Note);
        int index = id.Message ?? view.Messages.Count - 1;
        bool isAnswer = index >= 0 && index < view.Messages.Count && view.Messages[index].Role == "assistant";
        if (!isAnswer || (id.Message is null && note is null)) return null;
        return new StoredResponse(id, view, index, note, index == view.Messages.Count - 1);
    }

    /// <summary>The messages that led to it and its answer, without its instructions.</summary>
    public IEnumerable<ChatMessage> History() => View.Messages.Take(Index + 1).Skip(Note?.Instructions is null ? 0 : 1).Select(Items.Said);

    /// <summary>The response as it is read back.</summary>
    public Response ToResponse()
    {
        TurnView? turn = IsLast ? View.LastTurn : null;
        ResponseNote note = (IsLast ? Note : null) ?? new ResponseNote
        {
            Kind = "response",
            CreatedAt = View.UpdatedAt.ToUnixTimeSeconds(),
            Temperature = 1,
            TopP = 1,
            Metadata = new Dictionary<string, string>(),
        };
        ResponseUsage? usage = turn?.CompletionTokens is { } completion ? ResponseUsage.Of(turn.PromptTokens, turn.CachedTokens, completion) : null;
        return Response.Begin(Id, note, View.Model, store: true, Id.Message is null ? null : View.Id).End(Items.Of(Id, View.Messages[Index], Response.StatusOf(turn?.FinishReason)), turn?.FinishReason, usage);
    }

    /// <summary>The items that led to it, the oldest first.</summary>
    public IReadOnlyList<IItem> InputItems() => [.. View.Messages.Take(Index).Skip(Note?.Instructions is null ? 0 : 1).SelectMany(message => Items.Of(Id, message))];
}
