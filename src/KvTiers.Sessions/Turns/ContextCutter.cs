using KvTiers.Conversations;

namespace KvTiers.Sessions.Turns;

/// <summary>Chooses the messages that a prompt leaves out when the context is full.</summary>
/// <remarks>
/// A turn is a user's message and what follows it up to the next one. The oldest turns go, whole, until the prompt has <see cref="ContextRoom.CutPromptTokens"/>:
/// everything behind the cut has to be computed again, so it is cut rarely and by much. What comes before the first turn stays, as do messages of the roles
/// <c>system</c> and <c>developer</c>, turns with a pinned message, and the newest turn. When that turn alone is too much (an agent's, with many calls), its oldest
/// answers go together with the results of their calls, all but the last. So a call is never without its result, and who speaks next stays in turn.
/// </remarks>
public static class ContextCutter
{
    /// <summary>Chooses for one prompt.</summary>
    /// <param name="messages">The messages of the prompt, oldest first.</param>
    /// <param name="otherTokens">Tokens of the prompt beside them.</param>
    /// <param name="policy">Which turns go; <see cref="ContextPolicy.Refuse"/> = none.</param>
    /// <param name="room">How much fits.</param>
    /// <returns>[messages] Whether each stays; null = all do, because they fit or because none may go. Those that stay may still be too many.</returns>
    public static bool[]? Choose(IReadOnlyList<ContextPiece> messages, int otherTokens, ContextPolicy policy, ContextRoom room)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(room);
        var kept = new Selection(messages, otherTokens, policy, room);
        return kept.CutTo(messages.Count);
    }

    /// <summary>Chooses for a chat that is sent whole each time: as if every prompt of it had been cut as it came, so that the cut stays where it is from one request to the next.</summary>
    /// <param name="messages">The messages of the chat, oldest first.</param>
    /// <param name="otherTokens">Tokens of the prompt beside them.</param>
    /// <param name="policy">Which turns go; <see cref="ContextPolicy.Refuse"/> = none.</param>
    /// <param name="room">How much fits.</param>
    /// <returns>[messages] Whether each stays; null = all do, because they fit or because none may go. Those that stay may still be too many.</returns>
    public static bool[]? Replay(IReadOnlyList<ContextPiece> messages, int otherTokens, ContextPolicy policy, ContextRoom room)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(room);
        var kept = new Selection(messages, otherTokens, policy, room);
        bool[]? chosen = null;
        for (int count = 1; count <= messages.Count; count++)
        {
            // No prompt ends with an answer but the last, which may be gone on with.
            if (count == messages.Count || messages[count - 1].Role != "assistant")
                chosen = kept.CutTo(count);
        }

        return chosen;
    }

    private sealed class Selection(IReadOnlyList<ContextPiece> messages, int otherTokens, ContextPolicy policy, ContextRoom room)
    {
        private readonly bool[] _kept = [.. Enumerable.Repeat(true, messages.Count)];
        private int _tokens = otherTokens;
        private int _count;
        private bool _isCut;

        // Cuts the prompt of the first count messages where it does not fit.
        public bool[]? CutTo(int count)
        {
            for (; _count < count; _count++)
                _tokens += messages[_count].Tokens;
            if (policy != ContextPolicy.Refuse && _tokens > room.MaxPromptTokens)
                Cut();
            return _isCut ? _kept : null;
        }

        private void Cut()
        {
            List<int> turns = [.. Enumerable.Range(0, _count).Where(i => messages[i].Role == "user")];
            for (int turn = policy == ContextPolicy.KeepEnds ? 1 : 0; turn < turns.Count - 1 && _tokens > room.CutPromptTokens; turn++)
                Drop(turns[turn], turns[turn + 1]);
            if (_tokens <= room.MaxPromptTokens)
                return;
            int newest = turns.Count == 0 ? 0 : turns[^1];
            List<int> answers = [.. Enumerable.Range(newest, _count - newest).Where(i => messages[i].Role == "assistant")];
            for (int answer = 0; answer < answers.Count - 1 && _tokens > room.CutPromptTokens; answer++)
                Drop(answers[answer], answers[answer + 1]);
        }

        private void Drop(int start, int end)
        {
            for (int i = start; i < end; i++)
            {
                if (messages[i].IsPinned)
                    return;
            }

            for (int i = start; i < end; i++)
            {
                if (!_kept[i] || messages[i].Role is "system" or "developer")
                    continue;
                _kept[i] = false;
                _isCut = true;
                _tokens -= messages[i].Tokens;
            }
        }
    }
}
