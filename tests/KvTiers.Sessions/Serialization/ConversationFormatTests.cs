using System.Buffers;
using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Serialization;

namespace KvTiers.Sessions.Tests.Serialization;

public sealed class ConversationFormatTests
{
    private static readonly DateTimeOffset At = new(638000000000000000, TimeSpan.Zero);

    private static readonly Guid Incarnation = new(Enumerable.Range(0, 16).Select(i => (byte)i).ToArray(), bigEndian: true);

    private static readonly TurnTrace Trace = new()
    {
        Version = 3,
        Host = "h",
        Reason = ExplanationReason.Edited,
        PromptTokens = 40,
        CachedTokens = 21,
        LeftTokens = 47,
        TtftMs = 12.5,
        CostTokens = 9,
        Difference = new() { MessageIndex = 1, Role = "user", TokenOffset = 21, CharacterOffset = 4, OldExcerpt = "old…", NewExcerpt = "new…" },
    };

    [Fact]
    public void ATurnKeepsWhatItGeneratedHowItEndedAndItsNote()
    {
        var change = new LogChanged { At = At, KeptMessages = 0, Entries = [], Turn = Trace with { CompletionTokens = 7, FinishReason = "length", Note = "kept 😀" } };
        TurnTrace? read = Assert.IsType<LogChanged>(ConversationFormat.ReadChange(Written(change))).Turn;
        Assert.Equal(change.Turn, read);
        Assert.Equal((7, "length", "kept 😀"), (read!.ToView().CompletionTokens, read.ToView().FinishReason, read.ToView().Note));
    }

    [Fact]
    public void ACreationIsWhatTheIndependentImplementationWrote()
    {
        byte[] bytes = Fixture.Bytes("created");
        ConversationCreated created = Assert.IsType<ConversationCreated>(ConversationFormat.ReadChange(bytes));
        Assert.Equal(At, created.At);
        Assert.Equal(Incarnation, created.Incarnation);
        Assert.Equal(("demo", "0011", "base"), (created.Model, created.Vocabulary, created.ForkedFrom));
        Assert.Equal(["Be kind. 😀", ""], created.Messages.Select(message => message.Content));
        Assert.Equal([1, 2, 300], created.Messages[0].Tokens);
        Assert.Null(created.Turn);
        Assert.Equal(bytes, Written(created));
    }

    [Fact]
    public void AChangeOfTheLogIsWhatTheIndependentImplementationWrote()
    {
        byte[] bytes = Fixture.Bytes("log");
        LogChanged changed = Assert.IsType<LogChanged>(ConversationFormat.ReadChange(bytes));
        Assert.Equal(1, changed.KeptMessages);
        Assert.Equal([70000, 5], changed.Entries[0].Message!.Tokens);
        Assert.Equal(new LogEntry(1), changed.Entries[1]);
        Assert.Equal(Trace, changed.Turn);
        Assert.Equal(bytes, Written(changed));
    }

    [Fact]
    public void TheSmallChangesAreWhatTheIndependentImplementationWrote()
    {
        Assert.Equal(new ChangeUndone { At = At }, ConversationFormat.ReadChange(Fixture.Bytes("undone")));
        Assert.Equal(new PinChanged { At = At, Until = At.AddTicks(5) }, ConversationFormat.ReadChange(Fixture.Bytes("pin")));
        Assert.Equal(new PinChanged { At = At, Until = null }, ConversationFormat.ReadChange(Fixture.Bytes("unpin")));
        foreach (string name in new[] { "undone", "pin", "unpin" })
            Assert.Equal(Fixture.Bytes(name), Written(ConversationFormat.ReadChange(Fixture.Bytes(name))));
    }

    [Fact]
    public void AStateKeepsItsFormerLogsAndSharesTheirMessages()
    {
        byte[] bytes = Fixture.Bytes("state");
        ConversationState state = ConversationFormat.ReadState(bytes);
        Assert.Equal(new ConversationKey("t", "c"), state.Key);
        Assert.Equal(new ConversationVersion(Incarnation, 4), state.Version);
        Assert.Equal([1, 2, 3], state.Log.Tokens.ToArray());
        Assert.Equal([0, 2], state.Undo.Select(log => log.Messages.Length));
        Assert.Same(state.Log.Messages[0], state.Undo[1].Messages[0]);
        Assert.True(state.Log.SameAs(state.LastTurnLog!));
        Assert.Equal(At.AddTicks(3), state.PinnedUntil);
        Assert.Equal(Trace, state.LastTurn);
        Assert.Equal(bytes, Written(state));
    }

    [Fact]
    public void FieldsOfALaterVersionArePassedOver() =>
        Assert.Equal(new ChangeUndone { At = At }, ConversationFormat.ReadChange(Fixture.Bytes("undone_with_more")));

    [Fact]
    public void EndlessPinsComeBackExactly()
    {
        var pin = new PinChanged { At = At, Until = DateTimeOffset.MaxValue };
        Assert.Equal(pin, ConversationFormat.ReadChange(Written(pin)));
    }

    [Fact]
    public void AReferenceToAMessageThatIsNotThereIsRefused()
    {
        var log = new TokenLog([new("user", "a", [1])]);
        Assert.Throws<FormatException>(() => new LogChanged { At = At, KeptMessages = 2, Entries = [] }.ApplyTo(log));
        Assert.Throws<FormatException>(() => new LogChanged { At = At, KeptMessages = 0, Entries = ImmutableArray.Create(new LogEntry(1)) }.ApplyTo(log));
    }

    private static byte[] Written(ConversationChange change)
    {
        var bytes = new ArrayBufferWriter<byte>();
        ConversationFormat.Write(bytes, change);
        return bytes.WrittenSpan.ToArray();
    }

    private static byte[] Written(ConversationState state)
    {
        var bytes = new ArrayBufferWriter<byte>();
        ConversationFormat.Write(bytes, state);
        return bytes.WrittenSpan.ToArray();
    }
}
