using System.Collections.Immutable;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests.Storage;

public sealed class FileConversationStoreTests : IDisposable
{
    private static readonly ConversationKey Key = new("tenant", "one");
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task WhatWasWrittenIsReadByAnotherStore()
    {
        ConversationState state = await Write(Open(), Key, 3);
        ConversationState read = (await Open().ReadAsync(Key))!;
        AssertSame(state, read);
        Assert.Equal(state.Version, await Open().ReadVersionAsync(Key));
    }

    [Fact]
    public async Task AnUnknownConversationIsNull()
    {
        FileConversationStore store = Open();
        Assert.Null(await store.ReadAsync(Key));
        Assert.Null(await store.ReadVersionAsync(Key));
        Assert.Empty(await store.ListAsync("tenant"));
        Assert.False(await store.TryDeleteAsync(Key, new(Guid.NewGuid(), 1)));
    }

    [Fact]
    public async Task AWriteThatReplacesAnotherVersionChangesNothing()
    {
        FileConversationStore store = Open();
        ConversationState state = await Write(store, Key, 2);
        byte[] before = await File.ReadAllBytesAsync(store.PathOf(Key));
        Assert.False(await store.TryAppendAsync(Key, state.Version with { Number = 1 }, Add(state, 9)));
        Assert.False(await store.TryAppendAsync(Key, state.Version with { Incarnation = Guid.NewGuid() }, Add(state, 9)));
        Assert.False(await store.TryAppendAsync(Key, null, Creation()));
        Assert.Equal(before, await File.ReadAllBytesAsync(store.PathOf(Key)));
    }

    [Fact]
    public async Task AConversationDeletedAndBegunAgainIsNotTheOneThatWas()
    {
        FileConversationStore store = Open(), other = Open();
        ConversationState former = await Write(store, Key, 2);
        Assert.True(await other.TryDeleteAsync(Key, former.Version));
        await Write(other, Key, 2);
        Assert.NotEqual(former.Version, await store.ReadVersionAsync(Key));
        Assert.False(await store.TryAppendAsync(Key, former.Version, Add(former, 9)));
    }

    [Fact]
    public async Task OfTwoStoresThatRaceOnOneConversationEachVersionHasOneWinner()
    {
        await Write(Open(), Key, 1);
        int[] wins = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            FileConversationStore store = Open(sync: false);
            int won = 0;
            for (int i = 0; i < 50; i++)
            {
                ConversationState state = (await store.ReadAsync(Key))!;
                won += await store.TryAppendAsync(Key, state.Version, Add(state, i)) ? 1 : 0;
            }

            return won;
        })));
        ConversationState final = (await Open().ReadAsync(Key))!;
        Assert.Equal(1 + wins.Sum(), final.Version.Number);
        Assert.Equal(1 + wins.Sum(), final.Log.Messages.Length);
    }

    [Fact]
    public async Task ATailCutAtAnyByteOfTheLastRecordLosesThatRecordOnly()
    {
        FileConversationStore store = Open();
        ConversationState before = await Write(store, Key, 3);
        string path = store.PathOf(Key);
        int whole = (int)new FileInfo(path).Length;
        Assert.True(await store.TryAppendAsync(Key, before.Version, Add(before, 99)));
        byte[] bytes = await File.ReadAllBytesAsync(path);
        for (int length = whole; length < bytes.Length; length++)
        {
            await File.WriteAllBytesAsync(path, bytes[..length]);
            FileConversationStore reopened = Open(sync: false);
            ConversationState read = (await reopened.ReadAsync(Key))!;
            AssertSame(before, read);
            Assert.True(await reopened.TryAppendAsync(Key, read.Version, Add(read, 7)));
            Assert.Equal("7", (await Open().ReadAsync(Key))!.Log.Messages[^1].Content);
        }
    }

    [Fact]
    public async Task ZerosAtTheEndAreATornTail()
    {
        FileConversationStore store = Open();
        ConversationState before = await Write(store, Key, 3);
        string path = store.PathOf(Key);
        byte[] whole = await File.ReadAllBytesAsync(path);
        await File.WriteAllBytesAsync(path, [.. whole, .. new byte[500]]);
        AssertSame(before, (await Open().ReadAsync(Key))!);
        await File.WriteAllBytesAsync(path, whole);
        await store.TryAppendAsync(Key, before.Version, Add(before, 99));
        byte[] longer = await File.ReadAllBytesAsync(path);
        longer.AsSpan(longer.Length - 10).Clear();
        await File.WriteAllBytesAsync(path, longer);
        AssertSame(before, (await Open().ReadAsync(Key))!);
    }

    [Fact]
    public async Task AFlippedBitAnywhereElseDamagesThatConversationOnly()
    {
        FileConversationStore store = Open();
        await Write(store, Key, 3);
        ConversationState other = await Write(store, new("tenant", "two"), 2);
        string path = store.PathOf(Key);
        byte[] bytes = await File.ReadAllBytesAsync(path);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] bent = [.. bytes];
            bent[i] ^= 0x10;
            await File.WriteAllBytesAsync(path, bent);
            FileConversationStore reopened = Open();
            ConversationDamagedException exception = await Assert.ThrowsAsync<ConversationDamagedException>(async () => await reopened.ReadAsync(Key));
            Assert.Equal(path, exception.Path);
            await Assert.ThrowsAsync<ConversationDamagedException>(async () => await reopened.TryAppendAsync(Key, other.Version, Add(other, 1)));
            Assert.Equal(bent, await File.ReadAllBytesAsync(path));
        }

        FileConversationStore last = Open();
        AssertSame(other, (await last.ReadAsync(other.Key))!);
        ConversationSummary[] listed = [.. (await last.ListAsync("tenant")).OrderBy(summary => summary.Id)];
        Assert.Equal(["one", "two"], listed.Select(summary => summary.Id));
        Assert.NotNull(listed[0].Damage);
        Assert.Null(listed[1].Damage);
    }

    [Fact]
    public async Task AFileCutInsideItsFirstVersionIsDamaged()
    {
        FileConversationStore store = Open();
        await Write(store, Key, 1);
        byte[] bytes = await File.ReadAllBytesAsync(store.PathOf(Key));
        for (int length = 0; length < bytes.Length; length++)
        {
            await File.WriteAllBytesAsync(store.PathOf(Key), bytes[..length]);
            await Assert.ThrowsAsync<ConversationDamagedException>(async () => await Open().ReadAsync(Key));
        }
    }

    [Fact]
    public async Task AFileOfAnotherConversationIsDamage()
    {
        FileConversationStore store = Open();
        await Write(store, new("tenant", "two"), 1);
        File.Move(store.PathOf(new("tenant", "two")), store.PathOf(Key));
        await Assert.ThrowsAsync<ConversationDamagedException>(async () => await Open().ReadAsync(Key));
    }

    [Fact]
    public async Task AGrownFileIsCompactedAndKeepsEverythingUndoIncluded()
    {
        FileConversationStore store = Open(compactAfter: 8), witness = Open();
        ConversationState state = await Write(store, Key, 1);
        long longest = 0;
        for (int i = 0; i < 100; i++)
        {
            // Replaces the last message, so that the state stays small while the file grows.
            LogChanged change = LogChanged.Between(state.Log, new([state.Log.Messages[0], Message(i)]), At);
            Assert.True(await store.TryAppendAsync(Key, state.Version, change));
            state = state.Apply(change);
            Assert.Equal(state.Version, await witness.ReadVersionAsync(Key));
            longest = Math.Max(longest, new FileInfo(store.PathOf(Key)).Length);
        }

        Assert.True(new FileInfo(store.PathOf(Key)).Length < 100 * 60, "the file was never compacted");
        AssertSame(state, (await Open().ReadAsync(Key))!);
        Assert.Equal(ConversationState.MaxUndoDepth, state.Undo.Length);
        Assert.Equal([store.PathOf(Key)], Directory.GetFiles(Path.GetDirectoryName(store.PathOf(Key))!));
    }

    [Fact]
    public async Task TenantsDoNotSeeEachOthersConversations()
    {
        FileConversationStore store = Open();
        await Write(store, new("a", "x"), 1);
        await Write(store, new("b", "x"), 2);
        Assert.Equal([1L], (await store.ListAsync("a")).Select(summary => summary.Version));
        Assert.Equal([2L], (await store.ListAsync("b")).Select(summary => summary.Version));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("nul")]
    [InlineData("A")]
    [InlineData("a:b")]
    [InlineData("x.conv")]
    public async Task AnyIdMakesAFileOfItsOwnInsideTheFolder(string id)
    {
        FileConversationStore store = Open();
        var key = new ConversationKey(id, id);
        ConversationState state = await Write(store, key, 2);
        await Write(store, new(id, "a"), 1);
        Assert.StartsWith(_folder.Path + Path.DirectorySeparatorChar, Path.GetFullPath(store.PathOf(key)), StringComparison.Ordinal);
        AssertSame(state, (await Open().ReadAsync(key))!);
        Assert.Contains(await store.ListAsync(id), summary => summary.Id == id);
    }

    [Fact]
    public async Task TheLongestIdFits()
    {
        var key = new ConversationKey(new string('t', 128), new string('x', 128));
        await Write(Open(), key, 1);
        Assert.NotNull(await Open().ReadAsync(key));
    }

    [Fact]
    public async Task AListReadsFilesThatDidNotChangeOnce()
    {
        FileConversationStore store = Open();
        ConversationState state = await Write(store, Key, 2);
        Assert.Equal(2, Assert.Single(await store.ListAsync("tenant")).MessageCount);
        Assert.True(await Open().TryAppendAsync(Key, state.Version, Add(state, 5)));
        Assert.Equal(3, Assert.Single(await store.ListAsync("tenant")).MessageCount);
    }

    [Fact]
    public async Task AHeldLockIsWaitedForUntilTheDeadline()
    {
        FileConversationStore store = Open();
        ConversationState state = await Write(store, Key, 1);
        FileStream[] others = [.. Directory.GetFiles(Path.Combine(_folder.Path, ".locks")).Select(path => new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))];
        var impatient = new FileConversationStore(new() { Folder = _folder.Path, LockDeadline = TimeSpan.FromMilliseconds(20) });
        await Assert.ThrowsAsync<IOException>(async () => await impatient.TryAppendAsync(Key, state.Version, Add(state, 1)));
        Task<bool> patient = store.TryAppendAsync(Key, state.Version, Add(state, 1)).AsTask();
        Assert.False(patient.IsCompleted);
        foreach (FileStream other in others)
            await other.DisposeAsync();
        Assert.True(await patient);
    }

    [Fact]
    public void OptionsAreChecked()
    {
        var options = new FileConversationStoreOptions { Folder = "x", CompactAfterRecords = 2, LockDeadline = TimeSpan.FromTicks(1) };
        options.Validate();
        Assert.Equal("Folder", Assert.Throws<ArgumentException>(() => (options with { Folder = " " }).Validate()).ParamName);
        Assert.Equal("CompactAfterRecords", Assert.Throws<ArgumentException>(() => (options with { CompactAfterRecords = 1 }).Validate()).ParamName);
        Assert.Equal("LockDeadline", Assert.Throws<ArgumentException>(() => (options with { LockDeadline = TimeSpan.Zero }).Validate()).ParamName);
    }

    public void Dispose() => _folder.Dispose();

    private static LoggedMessage Message(int i) => new("user", $"{i}", [i, i + 1, 70000 + i]);

    private static ConversationCreated Creation() =>
        new() { At = At, Incarnation = Guid.NewGuid(), Model = "demo", Vocabulary = "v", Messages = [Message(0)] };

    private static LogChanged Add(ConversationState state, int i) => LogChanged.Between(state.Log, state.Log.Add(Message(i)), At.AddSeconds(i));

    private static async Task<ConversationState> Write(FileConversationStore store, ConversationKey key, int versions)
    {
        ConversationCreated created = Creation();
        Assert.True(await store.TryAppendAsync(key, null, created));
        ConversationState state = ConversationState.Create(key, created);
        for (int i = 1; i < versions; i++)
        {
            LogChanged change = Add(state, i);
            Assert.True(await store.TryAppendAsync(key, state.Version, change));
            state = state.Apply(change);
        }

        return state;
    }

    private static void AssertSame(ConversationState expected, ConversationState actual)
    {
        Assert.True(expected.Log.SameAs(actual.Log));
        Assert.Equal(expected.Undo.Length, actual.Undo.Length);
        Assert.All(expected.Undo.Zip(actual.Undo), pair => Assert.True(pair.First.SameAs(pair.Second)));
        Assert.Equal(
            expected with { Log = TokenLog.Empty, Undo = ImmutableArray<TokenLog>.Empty },
            actual with { Log = TokenLog.Empty, Undo = ImmutableArray<TokenLog>.Empty });
    }

    private FileConversationStore Open(bool sync = true, int compactAfter = 64) =>
        new(new() { Folder = _folder.Path, Sync = sync, CompactAfterRecords = compactAfter });
}
