using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Serialization;
using KvTiers.Sessions.Storage;
using MessagePack;

namespace KvTiers.Sessions.Tests.Serialization;

/// <summary>No damage is passed over, whatever field of whatever record it is in.</summary>
public sealed class ConversationDamageTests
{
    private static readonly ConversationKey Key = new("t", "c");

    // A field that may be left out; what is not here must be there.
    private static readonly HashSet<string> Optional =
    [
        "created:forked_from", "log:turn", "log:turn/difference", "pin:until", "state:pinned_until", "state:turn", "state:turn/difference", "state:turn_log",
    ];

    public static TheoryData<string> Names => ["created", "log", "undone", "pin", "unpin", "state", "undone_with_more"];

    [Theory]
    [MemberData(nameof(Names))]
    public void NothingMayFollow(string name)
    {
        byte[] whole = Fixture.Bytes(name);
        Read(name, whole);
        foreach (byte[] after in (byte[][])[[0x00], [0xC0], [0xC1], [0x80], whole])
            AssertDamaged(name, [.. whole, .. after]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NoFieldMayStandTwice(string name)
    {
        byte[] whole = Fixture.Bytes(name);
        foreach (string path in MapBytes.Paths(whole))
            AssertDamaged(name, MapBytes.Doubled(whole, path));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NoFieldMayBeMissing(string name)
    {
        byte[] whole = Fixture.Bytes(name);
        foreach (string path in MapBytes.Paths(whole))
        {
            byte[] without = MapBytes.With(whole, path, null);
            if (Optional.Contains($"{name}:{path}") || path.StartsWith("new", StringComparison.Ordinal))
                Read(name, without);
            else
                AssertDamaged(name, without);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NoFieldMayBeOfAnotherType(string name)
    {
        byte[] whole = Fixture.Bytes(name);
        byte[][] others = [[0xC0], [0xC3], [0x01], [0xFF], [0xCA, 0x3F, 0x80, 0x00, 0x00], [0xA1, 0x61], [0xC4, 0x01, 0x61], [0x91, 0xC0], [0x81, 0xC0, 0xC0], [0xD4, 0x01, 0x01], [0xC1]];
        foreach (string path in MapBytes.Paths(whole).Where(path => !path.StartsWith("new", StringComparison.Ordinal)))
        {
            MessagePackType right = TypeOf(MapBytes.ValueAt(whole, path));
            foreach (byte[] other in others)
            {
                // Whoever writes 12.0 ms may write the integer 12. An array or a map of something else is of another type too.
                bool same = TypeOf(other) == right && right is not (MessagePackType.Array or MessagePackType.Map or MessagePackType.Binary);
                if (!same && !(path.EndsWith("ttft_ms", StringComparison.Ordinal) && TypeOf(other) is MessagePackType.Integer))
                    AssertDamaged(name, MapBytes.With(whole, path, other));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryTextIsUnicode(string name)
    {
        byte[] whole = Fixture.Bytes(name);
        foreach (Range text in MapBytes.Texts(whole))
        {
            int length = text.GetOffsetAndLength(whole.Length).Length;
            foreach (byte[] wrong in (byte[][])[[0xFF], [0xC3], [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF]])
            {
                if (wrong.Length > length)
                    continue;
                byte[] bent = [.. whole];
                wrong.CopyTo(bent, text.Start.Value);
                if (!bent.AsSpan().SequenceEqual(whole))
                    AssertDamaged(name, bent);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NothingIsNestedTooDeep(string name)
    {
        List<(string Name, byte[] Value)> fields = MapBytes.Fields(Fixture.Bytes(name));
        Read(name, MapBytes.Join([.. fields, ("later", Nested(32))]));
        AssertDamaged(name, MapBytes.Join([.. fields, ("later", Nested(33))]));
        AssertDamaged(name, MapBytes.Join([.. fields, ("later", Nested(1_000_000))]));
        foreach (string path in MapBytes.Paths(Fixture.Bytes(name)).Where(path => !path.StartsWith("new", StringComparison.Ordinal)))
            AssertDamaged(name, MapBytes.With(Fixture.Bytes(name), path, Nested(1_000_000)));
    }

    /// <summary>Memory is set aside for what is there, not for what is said to be there.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void NoLengthIsBelieved(string name)
    {
        List<(string Name, byte[] Value)> fields = MapBytes.Fields(Fixture.Bytes(name));
        for (int i = 0; i < fields.Count; i++)
        {
            foreach (byte code in (byte[])[0xDD, 0xDF, 0xDB, 0xC6, 0xC9])
            {
                foreach (byte first in (byte[])[0x7F, 0x80, 0xFF])
                {
                    (string Name, byte[] Value) lie = (fields[i].Name, [code, first, 0xFF, 0xFF, 0xFF]);
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    AssertDamaged(name, MapBytes.Join([.. fields[..i], lie])); // the last that is there
                    AssertDamaged(name, MapBytes.Join([.. fields[..i], lie, .. fields[(i + 1)..]])); // and one that the others follow
                    Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NoBytesThatAreCutOrChangedAreTakenForAnotherErrorThanAFormatError(string name)
    {
        var random = new Random(1);
        byte[] whole = Fixture.Bytes(name);
        for (int length = 0; length < whole.Length; length++)
            AssertDamaged(name, whole[..length]);
        for (int round = 0; round < 3000; round++)
        {
            byte[] bent = [.. whole];
            for (int i = random.Next(3); i >= 0; i--)
                bent[random.Next(bent.Length)] = (byte)random.Next(256);
            if (Record.Exception(() => Read(name, bent)) is { } exception)
                Assert.IsType<FormatException>(exception);
        }
    }

    [Fact]
    public void ARecordIsKindVersionAndBodyAndNoMore()
    {
        byte[] body = Fixture.Bytes("created");
        ConversationRecord.Apply(Key, null, (byte[])[0x93, 0x01, 0x01, .. body]);
        byte[][] damaged =
        [
            [0x93, 0x01, 0x01, .. body, 0xC0], [0x94, 0x01, 0x01, .. body, 0xC0], [0x92, 0x01, .. body], [0x93, 0x01, 0x01], [0x93, 0x01], [0x93], [], [0xC0], [0x83, 0x01, 0x01, .. body],
            [0x93, 0xC0, 0x01, .. body], [0x93, 0x01, 0xC0, .. body], [0x93, 0xA1, 0x31, 0x01, .. body], [0x93, 0x02, 0x01, .. body], [0x93, 0x00, 0x01, .. body],
            [0x93, 0x01, 0x02, .. body], [0x93, 0x01, 0x01, 0xC4, (byte)body.Length, .. body], [0xDD, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x01, .. body],
        ];
        foreach (byte[] record in damaged)
            Assert.Throws<FormatException>(() => ConversationRecord.Apply(Key, null, record));
    }

    [Theory]
    [InlineData(0xD83D)]
    [InlineData(0xDE00)]
    public async Task HalfASurrogatePairIsNotWritten(int half)
    {
        string text = $"a{(char)half}b"; // an attribute's own text could not carry it
        using var folder = new TemporaryFolder();
        var store = new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        ConversationCreated created = (ConversationCreated)ConversationFormat.ReadChange(Fixture.Bytes("created"));
        Assert.True(await store.TryAppendAsync(Key, null, created));
        byte[] before = await File.ReadAllBytesAsync(store.PathOf(Key));

        var log = (LogChanged)ConversationFormat.ReadChange(Fixture.Bytes("log"));
        TurnTrace trace = log.Turn!;
        ConversationChange[] changes =
        [
            log with { Entries = [new(new LoggedMessage(text, "", []))] }, log with { Entries = [new(new LoggedMessage("user", text, []))] },
            log with { Model = text }, log with { Vocabulary = text }, log with { Turn = trace with { Host = text } },
            log with { Turn = trace with { Difference = trace.Difference! with { Role = text } } },
            log with { Turn = trace with { Difference = trace.Difference! with { OldExcerpt = text } } },
            log with { Turn = trace with { Difference = trace.Difference! with { NewExcerpt = text } } },
        ];
        foreach (ConversationChange change in changes)
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.TryAppendAsync(Key, new(created.Incarnation, 1), change));
            Assert.Equal(before, await File.ReadAllBytesAsync(store.PathOf(Key)));
        }

        ConversationState state = ConversationFormat.ReadState(Fixture.Bytes("state"));
        using var buffer = new RecordBuffer();
        foreach (ConversationState bad in (ConversationState[])
            [state with { Model = text }, state with { Vocabulary = text }, state with { ForkedFrom = text }, state with { Log = new(ImmutableArray.Create(new LoggedMessage("user", text, []))) }])
            Assert.ThrowsAny<ArgumentException>(() => ConversationFormat.Write(buffer, bad));
        Assert.True(await store.TryAppendAsync(Key, new(created.Incarnation, 1), log));
    }

    private static byte[] Nested(int depth) => [.. Enumerable.Repeat((byte)0x91, depth), 0xC0];

    private static MessagePackType TypeOf(byte[] value) => new MessagePackReader(value).NextMessagePackType;

    private static void AssertDamaged(string name, byte[] bytes) => Assert.Throws<FormatException>(() => Read(name, bytes));

    private static void Read(string name, byte[] bytes)
    {
        if (name == "state")
            ConversationFormat.ReadState(bytes);
        else
            ConversationFormat.ReadChange(bytes);
    }
}
