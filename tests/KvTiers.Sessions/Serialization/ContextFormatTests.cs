using System.Buffers;
using System.Text;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Serialization;

namespace KvTiers.Sessions.Tests.Serialization;

/// <summary>What logs leave out comes back from the store as it was.</summary>
public sealed class ContextFormatTests
{
    private static readonly DateTimeOffset At = new(638000000000000000, TimeSpan.Zero);

    private static readonly LoggedMessage[] Messages = [.. Enumerable.Range(0, 7).Select(i => new LoggedMessage(i % 2 == 0 ? "user" : "assistant", $"message {i}", [i, 10 + i]) { Pinned = i == 4 })];

    private static readonly LoggedMessage[] Summary = [new("user", "Summarize.", [100]), new("assistant", "Short.", [101])];

    private static readonly TurnTrace Trace = new()
    {
        Version = 2,
        Host = "h",
        Reason = ExplanationReason.Cut,
        PromptTokens = 9,
        CachedTokens = 2,
        LeftTokens = 9,
        TtftMs = 1,
        CostTokens = 3,
        LimitedBy = "context",
        Cut = new()
        {
            Policy = ContextPolicy.Summarize,
            MessagesDropped = 3,
            TokensDropped = 6,
            FirstDropped = 1,
            MessagesKept = 4,
            TokensBeforeCut = 2,
            FormerPromptTokens = 14,
            PromptTokens = 9,
            ContextTokens = 16,
            AnswerReserve = 4,
            Summary = new() { PromptTokens = 8, CachedTokens = 6, CompletionTokens = 1 },
            SummaryFailure = "none",
        },
    };

    [Fact]
    public void AChangeThatLeavesMessagesOutRefersToThemAndIsUndone()
    {
        ConversationState before = State(new([.. Messages]));
        TokenLog cut = Cut();
        LogChanged change = LogChanged.Between(before.Log, cut, At) with { Turn = Trace, ContextPolicy = ContextPolicy.Summarize };
        Assert.All(change.Cut!.Dropped, dropped => Assert.Null(dropped.Entry.Message));

        ConversationState after = before.Apply(Read(change));
        Assert.True(cut.SameAs(after.Log));
        Assert.Equal((ContextPolicy.Summarize, Trace), (after.ContextPolicy!.Value, after.LastTurn));
        Assert.Equal(Messages.Select(message => message.Content), after.ToView(At).Messages.Select(message => message.Content));
        Assert.Equal([null, 2L, 2L, 2L, null, null, null], after.ToView(At).Messages.Select(message => message.DroppedAt));
        Assert.Equal(Messages, after.Apply(new ChangeUndone { At = At }).Log.Messages);

        // A change that leaves out nothing else says nothing of it; one that has all again says so.
        LogChanged next = LogChanged.Between(after.Log, after.Log.Add(new("user", "More.", [7])), At);
        Assert.Null(next.Cut);
        Assert.True(after.Log.Add(new("user", "More.", [7])).SameAs(after.Apply(Read(next)).Log));
        Assert.Null(after.Apply(Read(LogChanged.Between(after.Log, new([.. Messages]), At))).Log.Cut);
    }

    [Fact]
    public void ACreationMayLeaveMessagesOut()
    {
        TokenLog cut = Cut();
        var created = new ConversationCreated
        {
            At = At,
            Incarnation = Guid.NewGuid(),
            Model = "m",
            Vocabulary = "v",
            Messages = cut.Messages,
            Cut = LogCutChange.Between(TokenLog.Empty, cut),
            ContextPolicy = ContextPolicy.KeepEnds,
        };
        ConversationState state = ConversationState.Create(new("t", "c"), (ConversationCreated)ConversationFormat.ReadChange(Written(output => ConversationFormat.Write(output, created))));
        Assert.True(cut.SameAs(state.Log));
        Assert.Equal(ContextPolicy.KeepEnds, state.ContextPolicy);
    }

    [Fact]
    public void AStateKeepsWhatEachOfItsLogsLeavesOut()
    {
        TokenLog whole = new([.. Messages]);
        TokenLog cut = Cut();
        ConversationState state = State(cut) with { ContextPolicy = ContextPolicy.Refuse, Undo = [whole, cut, whole], LastTurn = Trace, LastTurnLog = cut };
        ConversationState read = ConversationFormat.ReadState(Written(output => ConversationFormat.Write(output, state)));
        Assert.True(cut.SameAs(read.Log));
        Assert.True(cut.SameAs(read.LastTurnLog!));
        Assert.Equal([true, false, true], read.Undo.Select(whole.SameAs));
        Assert.True(cut.SameAs(read.Undo[1]));
        Assert.Equal((ContextPolicy.Refuse, Trace), (read.ContextPolicy!.Value, read.LastTurn));
        Assert.True(read.Log.History[4].Pinned);
    }

    [Fact]
    public void BuildsThatKnowOfNoCutReadAnEdit()
    {
        byte[] bytes = Written(output => ConversationFormat.Write(output, LogChanged.Between(TokenLog.Empty, new([.. Messages]), At) with { Turn = Trace }));
        string text = Encoding.Latin1.GetString(bytes);
        Assert.Contains("reason\u00a6Edited", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7, 1)]
    [InlineData(-1, 1)]
    [InlineData(2, 2)]
    public void WhatCannotBeLeftOutIsAFault(int first, int second)
    {
        var change = new LogChanged
        {
            At = At,
            KeptMessages = 5,
            Entries = [],
            Cut = new() { Dropped = [new(first, new(0), 2), new(second, new(1), 2)] },
        };
        Assert.Throws<FormatException>(() => State(new([.. Messages])).Apply(Read(change)));
    }

    [Fact]
    public void TheHistoryIsTheConversationAndPlacesAreFoundInIt()
    {
        TokenLog log = Cut();
        Assert.Equal(Messages, log.History);
        Assert.Equal([0, 1, 1, 1, 3, 4, 5], Enumerable.Range(0, 7).Select(log.PlaceOf));
        Assert.Equal([0, 1, 1, 4, 5, 6], Enumerable.Range(0, 6).Select(log.IndexOf));
        Assert.Same(log, log.Take(7));
        Assert.Equal(4, log.Take(5).Messages.Length);
        Assert.Same(log.Cut, log.Take(5).Cut);
        Assert.Equal(Messages[..4], log.Take(4).Messages);
        Assert.Null(log.Take(4).Cut);
    }

    // Messages 1 to 3 are left out, and summarized.
    private static TokenLog Cut() => new([Messages[0], .. Summary, .. Messages[4..]], new()
    {
        Dropped = [.. Enumerable.Range(1, 3).Select(i => new DroppedMessage(i, Messages[i], 2))],
        SummaryStart = 1,
        SummaryCount = 2,
    });

    private static ConversationState State(TokenLog log) => new()
    {
        Key = new("t", "c"),
        Version = new(Guid.NewGuid(), 1),
        Model = "m",
        Vocabulary = "v",
        Log = log,
        CreatedAt = At,
        UpdatedAt = At,
    };

    private static ConversationChange Read(ConversationChange change) => ConversationFormat.ReadChange(Written(output => ConversationFormat.Write(output, change)));

    private static byte[] Written(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }
}
