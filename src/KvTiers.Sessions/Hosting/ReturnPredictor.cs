using KvTiers.Conversations;

namespace KvTiers.Sessions.Hosting;

/// <summary>
/// Predicts when conversations come back, by the gap between an answer and the next question, as a moving average per conversation. A conversation is
/// due from so long before its expected return until it is twice its gap late, once for each turn.
/// </summary>
/// <remarks>Thread-safe. Remembers a bounded number of conversations; the one that was quiet for longest is forgotten first.</remarks>
internal sealed class ReturnPredictor(TimeSpan ahead, int capacity)
{
    private const double NewShare = 0.5;

    private readonly Lock _lock = new();
    private readonly Dictionary<ConversationKey, Rhythm> _rhythms = [];

    /// <summary>A question has come.</summary>
    public void TurnStarted(ConversationKey key, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (!_rhythms.TryGetValue(key, out Rhythm? rhythm))
                _rhythms.Add(key, rhythm = Make());
            if (!rhythm.IsBusy && rhythm.AnsweredAt is { } answered)
            {
                TimeSpan gap = now - answered;
                rhythm.Gap = rhythm.Gap is { } known ? known + (NewShare * (gap - known)) : gap;
            }

            rhythm.IsBusy = true;
        }
    }

    /// <summary>The question is answered, or was taken back.</summary>
    public void TurnEnded(ConversationKey key, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (!_rhythms.TryGetValue(key, out Rhythm? rhythm))
                return;
            rhythm.AnsweredAt = now;
            rhythm.IsBusy = false;
            rhythm.IsTaken = false;
        }
    }

    /// <summary>The conversation is gone.</summary>
    public void Forget(ConversationKey key)
    {
        lock (_lock)
            _rhythms.Remove(key);
    }

    /// <summary>Conversations that are due, the one expected first first. They are not given again before their next turn.</summary>
    public IReadOnlyList<ConversationKey> TakeDue(DateTimeOffset now, int atMost)
    {
        lock (_lock)
        {
            KeyValuePair<ConversationKey, Rhythm>[] due =
                [.. _rhythms.Where(pair => IsDue(pair.Value, now)).OrderBy(pair => pair.Value.AnsweredAt + pair.Value.Gap).Take(atMost)];
            foreach ((_, Rhythm rhythm) in due)
                rhythm.IsTaken = true;
            return [.. due.Select(pair => pair.Key)];
        }
    }

    private bool IsDue(Rhythm rhythm, DateTimeOffset now)
    {
        if (rhythm.IsBusy || rhythm.IsTaken || rhythm.Gap is not { } gap || rhythm.AnsweredAt is not { } answered)
            return false;
        TimeSpan quiet = now - answered;
        return quiet >= gap - ahead && quiet <= 3 * gap;
    }

    private Rhythm Make()
    {
        if (_rhythms.Count >= capacity)
            _rhythms.Remove(_rhythms.MinBy(pair => pair.Value.IsBusy ? DateTimeOffset.MaxValue : pair.Value.AnsweredAt ?? DateTimeOffset.MaxValue).Key);
        return new Rhythm();
    }

    private sealed class Rhythm
    {
        public TimeSpan? Gap { get; set; }

        public DateTimeOffset? AnsweredAt { get; set; }

        public bool IsBusy { get; set; }

        public bool IsTaken { get; set; }
    }
}
