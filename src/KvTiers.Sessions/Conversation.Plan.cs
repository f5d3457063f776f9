using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Turns;

namespace KvTiers.Sessions;

/// <content>What a turn is to be: its log and its prompt, before anything is computed.</content>
public sealed partial class Conversation
{
    private TurnPlan Plan(ConversationState? state, TurnRequest request)
    {
        if (state is null && request.Mode == TurnMode.History)
            ConversationKey.ValidateNew(Key.Id, "id");
        if (state is null && request.Mode == TurnMode.Append)
            throw new ConversationNotFoundException(Key);
        LogDraft draft = state is null ? LogDraft.After(TokenLog.Empty, request.Messages)
            : request.Mode == TurnMode.History ? Draft(state, request.Messages)
            : Continued(state, state.Log.Messages, request.Messages);
        return PlanFor(state, draft, request.Options, PolicyOf(state, request)) with
        {
            CacheSalt = SaltOf(state, request.CacheSalt),
            NewPolicy = request.ContextPolicy == state?.ContextPolicy ? null : request.ContextPolicy,
        };
    }

    private static string? SaltOf(ConversationState? state, string? asked) => state is null || asked is null || asked == state.CacheSalt
        ? state is null ? asked : state.CacheSalt
        : throw new ArgumentException("CacheSalt is not the one that the conversation was begun with; it must be that one, or absent.", nameof(TurnRequest.CacheSalt));

    private TurnPlan PlanRegeneration(ConversationState? state, GenerationOptions options)
    {
        if (state is null)
            throw new ConversationNotFoundException(Key);
        IEnumerable<LoggedMessage> messages = state.Log.Messages is [.. var earlier, { Role: "assistant" }] ? earlier : state.Log.Messages;
        LogDraft draft = Continued(state, messages, []);
        return draft.Messages.Count > 0
            ? PlanFor(state, draft, options, PolicyOf(state, request: null)) with { CacheSalt = state.CacheSalt }
            : throw new ConversationConflictException(Key, $"The conversation '{Key.Id}' has no message to answer.", actualVersion: state.Version.Number);
    }

    private TurnPlan PlanFor(ConversationState? state, LogDraft draft, GenerationOptions options, ContextPolicy policy)
    {
        TokenLog next = _services.Encoder.Encode(draft, options.Tools?.Definitions);
        return new(state, next, _services.Encoder.PromptFor(next)) { Policy = policy };
    }

    // What is to be the log of these messages of the conversation, as far as prompts have them.
    private LogDraft Draft(ConversationState state, IReadOnlyList<ChatMessage> history)
    {
        TokenLog known = KnownLog(state);
        if (state.Log.Cut is not { } cut)
            return LogDraft.After(known, history);
        int behind = cut.Dropped[^1].Index + 1;
        if (history.Count <= behind || !cut.Dropped.All(one => one.Message.Says(history[one.Index])))
            return new(history, known.History, cut.Dropped[0].Index, Cut: null);
        List<ChatMessage> messages = [.. history.Where((_, index) => state.Log.DroppedAt(index) is null)];
        messages.InsertRange(cut.SummaryStart, state.Log.Messages[cut.SummaryStart..cut.SummaryEnd].Select(message => message.ToChatMessage()));
        return LogDraft.After(known, messages) with { Cut = cut };
    }

    // As the log is, and messages behind it.
    private LogDraft Continued(ConversationState state, IEnumerable<LoggedMessage> messages, IReadOnlyList<ChatMessage> added) =>
        LogDraft.After(KnownLog(state), [.. messages.Select(message => message.ToChatMessage()), .. added]) with { Cut = state.Log.Cut };

    // The first messages of the conversation; encoded anew where they would be all in the log again.
    private TokenLog Take(ConversationState state, int count)
    {
        TokenLog taken = state.Log.Take(count);
        return taken.Cut is null && state.Log.Cut is not null && state.Vocabulary == _services.Vocabulary
            ? _services.Encoder.Encode(Draft(state, [.. taken.Messages.Select(message => message.ToChatMessage())]))
            : taken;
    }

    private ContextPolicy PolicyOf(ConversationState? state, TurnRequest? request)
    {
        ContextPolicy policy = request?.ContextPolicy ?? state?.ContextPolicy ?? _services.Options.ContextPolicy;
        return request?.Truncation switch
        {
            Truncation.Disabled => ContextPolicy.Refuse,
            Truncation.Auto when policy == ContextPolicy.Refuse => ContextPolicy.DropOldest,
            _ => policy,
        };
    }
}
