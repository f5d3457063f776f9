using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Serialization;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests.Serialization;

/// <summary>A conversation of 27 turns, 144 KB as a record: what it takes to write and to read it.</summary>
public sealed class RecordAllocationTests(ITestOutputHelper output)
{
    private const int Turns = 27;
    private const int Characters = 1500;
    private const int Tokens = 375;
    private const int KiB = 1024;

    // What the state itself is: texts of two bytes a character, tokens of four.
    private const int StateBytes = 2 * Turns * ((2 * Characters) + (4 * Tokens));

    private static readonly ConversationKey Key = new("tenant", "conversation");

    private readonly ConversationState _state = Conversation();

    [Fact]
    public void ARecordIsPutTogetherWithoutMemoryOfItsOwn()
    {
        int length = 0;
        long bytes = Least(() =>
        {
            using var buffer = new RecordBuffer();
            ConversationRecord.Write(buffer, _state);
            length = buffer.Length;
        });
        output.WriteLine($"{length} bytes written, {bytes} allocated");
        Assert.InRange(length, 140 * KiB, 143 * KiB);
        Assert.InRange(bytes, 0, 16 * KiB);
    }

    [Fact]
    public void ARecordThatIsKeptTakesItsOwnBytesAndLittleMore()
    {
        byte[] record = [];
        long bytes = Least(() => record = Record());
        output.WriteLine($"{record.Length} bytes written, {bytes} allocated");
        Assert.InRange(bytes, record.Length, 160 * KiB);
    }

    [Fact]
    public void AFileIsPutTogetherWithoutMemoryOfItsOwn()
    {
        long bytes = Least(() =>
        {
            using var file = new RecordBuffer();
            ConversationFile.Begin(file, _state, Guid.Empty);
        });
        output.WriteLine($"{bytes} allocated");
        Assert.InRange(bytes, 0, 16 * KiB);
    }

    [Fact]
    public void AStateThatIsReadTakesLittleMoreThanItself()
    {
        byte[] record = Record();
        long bytes = Least(() => ConversationRecord.Apply(Key, null, record));
        output.WriteLine($"{bytes} allocated for a state of {StateBytes}");
        Assert.InRange(bytes, StateBytes, StateBytes + (48 * KiB));
    }

    [Fact]
    public async Task AFileThatIsReadTakesLittleMoreThanItsState()
    {
        using var folder = new TemporaryFolder();
        var store = new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        using (var file = new RecordBuffer())
        {
            ConversationFile.Begin(file, _state, Guid.NewGuid());
            Directory.CreateDirectory(Path.GetDirectoryName(store.PathOf(Key))!);
            await File.WriteAllBytesAsync(store.PathOf(Key), file.Written.ToArray());
        }

        long bytes = Least(() => Assert.NotNull(store.ReadAsync(Key).AsTask().GetAwaiter().GetResult()));
        output.WriteLine($"{bytes} allocated for a state of {StateBytes}");
        Assert.InRange(bytes, StateBytes, StateBytes + (64 * KiB));
    }

    private static ConversationState Conversation()
    {
        var random = new Random(1);
        ConversationState state = ConversationState.Create(Key, new()
        {
            At = DateTimeOffset.UnixEpoch,
            Incarnation = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
            Model = "model",
            Vocabulary = "vocabulary",
            Messages = [],
        });
        for (int turn = 0; turn < Turns; turn++)
        {
            TokenLog next = state.Log.Add(Message(random, "user")).Add(Message(random, "assistant"));
            state = state.Apply(LogChanged.Between(state.Log, next, DateTimeOffset.UnixEpoch));
        }

        return state;
    }

    private static LoggedMessage Message(Random random, string role)
    {
        string text = string.Concat(Enumerable.Range(0, Characters).Select(_ => random.Next(100) == 0 ? 'é' : (char)random.Next('a', 'z' + 1)));
        return new(role, text, ImmutableArray.CreateRange(Enumerable.Range(0, Tokens).Select(_ => random.Next(49152))));
    }

    private byte[] Record()
    {
        using var buffer = new RecordBuffer();
        ConversationRecord.Write(buffer, _state);
        return buffer.Written.ToArray();
    }

    // The pool may have nothing to give, and the first call of a method is its compilation: one clean call out of several proves it.
    private static long Least(Action action)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 8; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
