using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Changes;

/// <summary>
/// A conversation at one version. Immutable and pure: <see cref="Apply"/> is all that ever makes one out of another, so whoever applies
/// the same changes has the same state, token for token.
/// </summary>
public sealed record ConversationState
{
    /// <summary>How many changes can be undone; older former logs are forgotten.</summary>
    public const int MaxUndoDepth = 32;

    private const int TitleLength = 80;

    /// <summary>Which conversation it is.</summary>
    public required ConversationKey Key { get; init; }

    /// <summary>What the next write replaces.</summary>
    public required ConversationVersion Version { get; init; }

    /// <summary>Name of the model that answers.</summary>
    public required string Model { get; init; }

    /// <summary>Fingerprint of the vocabulary that the log's tokens belong to.</summary>
    public required string Vocabulary { get; init; }

    /// <summary>The messages and their tokens.</summary>
    public required TokenLog Log { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Until when its blocks are pinned; null = they are not.</summary>
    public DateTimeOffset? PinnedUntil { get; init; }

    /// <summary>Id of the conversation it was forked from.</summary>
    public string? ForkedFrom { get; init; }

    /// <summary>The cache salt that its blocks are under; null = none. Never changes.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>What is done when it outgrows the context; null = the host's default.</summary>
    public ContextPolicy? ContextPolicy { get; init; }

    /// <summary>Former logs that undo returns to, newest last; at most <see cref="MaxUndoDepth"/>.</summary>
    public ImmutableArray<TokenLog> Undo { get; init; } = [];

    /// <summary>The last turn; null = there was none.</summary>
    public TurnTrace? LastTurn { get; init; }

    /// <summary>The log as the last turn left it; null = there was no turn, or the vocabulary has changed since.</summary>
    public TokenLog? LastTurnLog { get; init; }

    /// <summary>The state that a creation makes.</summary>
    public static ConversationState Create(ConversationKey key, ConversationCreated change)
    {
        var log = new TokenLog(change.Messages, change.Cut?.ApplyTo(TokenLog.Empty, change.Messages.Length));
        return new()
        {
            Key = key,
            Version = new(change.Incarnation, 1),
            Model = change.Model,
            Vocabulary = change.Vocabulary,
            Log = log,
            CreatedAt = change.At,
            UpdatedAt = change.At,
            ForkedFrom = change.ForkedFrom,
            CacheSalt = change.CacheSalt,
            ContextPolicy = change.ContextPolicy,
            Undo = change.Turn is null ? [] : [TokenLog.Empty],
            LastTurn = change.Turn,
            LastTurnLog = change.Turn is null ? null : log,
        };
    }

    /// <summary>The next version.</summary>
    /// <exception cref="FormatException">The change does not fit this state.</exception>
    public ConversationState Apply(ConversationChange change) => change switch
    {
        LogChanged changed => ApplyLog(changed) with { Version = NextVersion, UpdatedAt = change.At },
        ChangeUndone when Undo.Length > 0 => this with { Log = Undo[^1], Undo = Undo[..^1], Version = NextVersion, UpdatedAt = change.At },
        ChangeUndone => throw new FormatException("There is nothing to undo."),
        PinChanged pin => this with { PinnedUntil = pin.Until, Version = NextVersion, UpdatedAt = change.At },
        _ => throw new FormatException($"A {change.GetType().Name} cannot follow version {Version.Number}."),
    };

    /// <summary>The state as callers see it; a pin that has ended by <paramref name="now"/> is none.</summary>
    public ConversationView ToView(DateTimeOffset now) => new()
    {
        Id = Key.Id,
        Version = Version.Number,
        Model = Model,
        Messages = [.. Enumerable.Range(0, Log.HistoryCount).Select(MessageAt)],
        TokenCount = Log.TokenCount,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
        PinnedUntil = PinnedUntil > now ? PinnedUntil : null,
        ForkedFrom = ForkedFrom,
        LastTurn = LastTurn?.ToView(),
        UndoDepth = Undo.Length,
        ContextPolicy = ContextPolicy,
        Context = Log.Cut is not { } cut ? null : new()
        {
            DroppedMessages = cut.Dropped.Length,
            DroppedTokens = cut.Dropped.Sum(one => one.Message.Tokens.Length),
            Summary = cut.SummaryCount == 0 ? null : Log.Messages[cut.SummaryEnd - 1].Content,
        },
    };

    /// <summary>One message as callers see it.</summary>
    /// <param name="index">Its place among all messages of the conversation.</param>
    public MessageView MessageAt(int index)
    {
        DroppedMessage? dropped = Log.DroppedAt(index);
        LoggedMessage message = dropped?.Message ?? Log.Messages[Log.PlaceOf(index)];
        return new()
        {
            Index = index,
            Role = message.Role,
            Content = message.Content,
            Name = message.Name,
            ReasoningContent = message.ReasoningContent,
            ToolCalls = message.ToolCalls.IsEmpty ? null : message.ToolCalls,
            ToolCallId = message.ToolCallId,
            Pinned = message.Pinned ? true : null,
            DroppedAt = dropped?.Version,
            TokenStart = Log.TokenStart(Log.PlaceOf(index)),
            TokenCount = message.Tokens.Length,
        };
    }

    /// <summary>The state as a line of a list.</summary>
    public ConversationSummary ToSummary() => new()
    {
        Id = Key.Id,
        Version = Version.Number,
        Title = Title(),
        MessageCount = Log.HistoryCount,
        TokenCount = Log.TokenCount,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
    };

    private ConversationVersion NextVersion => Version with { Number = Version.Number + 1 };

    private ConversationState ApplyLog(LogChanged change)
    {
        TokenLog log = change.ApplyTo(Log);
        bool sameVocabulary = change.Vocabulary is null || change.Vocabulary == Vocabulary;
        ImmutableArray<TokenLog> undo = sameVocabulary ? Undo.Add(Log.Slim()) : [];
        return this with
        {
            Log = log,
            Undo = undo.Length > MaxUndoDepth ? undo[^MaxUndoDepth..] : undo,
            Model = change.Model ?? Model,
            Vocabulary = change.Vocabulary ?? Vocabulary,
            ContextPolicy = change.ContextPolicy ?? ContextPolicy,
            LastTurn = change.Turn ?? LastTurn,
            LastTurnLog = change.Turn is not null ? log : sameVocabulary ? LastTurnLog : null,
        };
    }

    private string Title()
    {
        string text = Log.History.FirstOrDefault(message => message.Role == "user")?.Content.ReplaceLineEndings(" ").Trim() ?? "";
        if (text.Length <= TitleLength)
            return text;
        int end = char.IsHighSurrogate(text[TitleLength - 2]) ? TitleLength - 2 : TitleLength - 1;
        return text[..end] + "…";
    }
}
