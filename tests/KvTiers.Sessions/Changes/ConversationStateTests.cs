using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Tests.Changes;

public sealed class ConversationStateTests
{
    private static readonly ConversationKey Key = new("tenant", "c");
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly LoggedMessage A = new("user", "a", [1, 2, 3]);
    private static readonly LoggedMessage B = new("assistant", "b", [4, 5]);
    private static readonly LoggedMessage C = new("user", "c", [6]);

    [Fact]
    public void SpansLieEndToEnd()
    {
        ConversationView view = Created(A, B, C).ToView(At);
        Assert.Equal([(0, 3), (3, 2), (5, 1)], view.Messages.Select(message => (message.TokenStart, message.TokenCount)));
        Assert.Equal(6, view.TokenCount);
        Assert.Equal([3, 5, 6], Created(A, B, C).Log.Breakpoints.ToArray());
    }

    [Fact]
    public void EveryChangeRaisesTheVersionByOne()
    {
        ConversationState state = Created(A);
        Assert.Equal(1, state.Version.Number);
        state = Change(state, A, B);
        state = state.Apply(new PinChanged { At = At, Until = At.AddHours(1) });
        state = state.Apply(new ChangeUndone { At = At.AddMinutes(1) });
        Assert.Equal(4, state.Version.Number);
        Assert.Equal(At.AddHours(1), state.PinnedUntil);
        Assert.Equal(At.AddMinutes(1), state.UpdatedAt);
        Assert.Equal(At, state.CreatedAt);
    }

    [Fact]
    public void UndoRestoresTheVerySameMessagesStepByStep()
    {
        ConversationState state = Change(Change(Created(A), A, B), C);
        Assert.Equal(2, state.Undo.Length);
        state = state.Apply(new ChangeUndone { At = At });
        Assert.Equal([A, B], state.Log.Messages);
        state = state.Apply(new ChangeUndone { At = At });
        Assert.Equal([A], state.Log.Messages);
        Assert.Throws<FormatException>(() => state.Apply(new ChangeUndone { At = At }));
    }

    [Fact]
    public void UndoIsBoundedAndForgetsTheOldestLogs()
    {
        ConversationState state = Created(A);
        for (int i = 0; i < ConversationState.MaxUndoDepth + 5; i++)
            state = Change(state, A, new LoggedMessage("assistant", $"{i}", [i]));
        Assert.Equal(ConversationState.MaxUndoDepth, state.Undo.Length);
        Assert.Equal("4", state.Undo[0].Messages[1].Content);
    }

    [Fact]
    public void AChangeRepeatsOnlyMessagesThatTheFormerLogLacks()
    {
        LogChanged change = LogChanged.Between(new([A, B, C]), new([A, C, B, new("user", "d", [9])]), At);
        Assert.Equal(1, change.KeptMessages);
        Assert.Equal([2, 1], change.Entries[..2].Select(entry => entry.FormerIndex));
        Assert.Equal("d", change.Entries[2].Message!.Content);
        Assert.Equal([A, C, B], change.ApplyTo(new([A, B, C])).Messages[..3]);
    }

    [Fact]
    public void AnotherVocabularyEndsUndo()
    {
        ConversationState state = Change(Created(A), A, B);
        state = state.Apply(LogChanged.Between(state.Log, new([C]), At) with { Model = "other", Vocabulary = "w" });
        Assert.Equal(("other", "w"), (state.Model, state.Vocabulary));
        Assert.Empty(state.Undo);
    }

    [Fact]
    public void AConversationThatATurnBeganCanBeUndoneToNothing()
    {
        var trace = new TurnTrace { Version = 1, Host = "h", Reason = ExplanationReason.FirstTurn, PromptTokens = 1, CachedTokens = 0, LeftTokens = 1, TtftMs = 1, CostTokens = 0 };
        ConversationState state = ConversationState.Create(Key, Creation(A, B) with { Turn = trace });
        Assert.Empty(state.Apply(new ChangeUndone { At = At }).Log.Messages);
    }

    [Fact]
    public void TheTitleIsTheFirstUserMessageCutToEightyCharacters()
    {
        Assert.Equal("", Created(B).ToSummary().Title);
        Assert.Equal("one two", Created(B, new("user", " one\ntwo ", [1])).ToSummary().Title);
        string title = Created(new LoggedMessage("user", new string('x', 78) + "😀😀", [1])).ToSummary().Title;
        Assert.Equal(new string('x', 78) + "…", title);
    }

    [Fact]
    public void ADifferenceNamesMessageTokenAndCharacter()
    {
        LogDifference difference = LogDifference.Between(new([A, new("user", "my cat is Tom", [7, 8, 9])]), new([A, new("user", "my cat is Tim", [7, 8, 10])]))!;
        Assert.Equal((1, 5, 11), (difference.MessageIndex, difference.TokenOffset, difference.CharacterOffset));
        Assert.Equal(("my cat is Tom", "my cat is Tim"), (difference.OldExcerpt, difference.NewExcerpt));
        Assert.Null(LogDifference.Between(new([A]), new([A, B])));
        Assert.Equal((1, ""), (LogDifference.Between(new([A, B]), new([A]))!.MessageIndex, LogDifference.Between(new([A, B]), new([A]))!.NewExcerpt));
    }

    [Fact]
    public void ExcerptsAreCutAroundTheDifferenceAndNeverThroughACharacter()
    {
        string before = string.Concat(Enumerable.Repeat("😀", 40));
        LogDifference difference = LogDifference.Between(new([new("user", before + "😀", [1])]), new([new("user", before + "😁" + before, [2])]))!;
        Assert.Equal(80, difference.CharacterOffset);
        Assert.All(new[] { difference.OldExcerpt, difference.NewExcerpt }, text => Assert.DoesNotContain('\uFFFD', System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text))));
        Assert.StartsWith("…", difference.NewExcerpt);
        Assert.EndsWith("…", difference.NewExcerpt);
    }

    private static ConversationCreated Creation(params LoggedMessage[] messages) =>
        new() { At = At, Incarnation = Guid.Empty, Model = "demo", Vocabulary = "v", Messages = [.. messages] };

    private static ConversationState Created(params LoggedMessage[] messages) => ConversationState.Create(Key, Creation(messages));

    private static ConversationState Change(ConversationState state, params LoggedMessage[] messages) =>
        state.Apply(LogChanged.Between(state.Log, new([.. messages]), At));
}
