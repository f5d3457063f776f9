using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests.Storage;

public sealed class FileConversationStoreTests : ConversationStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task AWriteThatReplacesAnotherVersionChangesNothing()
    {
        FileConversationStore store = OpenFiles();
        ConversationState state = await Write(store, Key, 2);
        byte[] before = await File.ReadAllBytesAsync(store.PathOf(Key));
        Assert.False(await store.TryAppendAsync(Key, state.Version with { Number = 1 }, Add(state, 9)));
        Assert.False(await store.TryAppendAsync(Key, state.Version with { Incarnation = Guid.NewGuid() }, Add(state, 9)));
        Assert.False(await store.TryAppendAsync(Key, null, Creation()));
        Assert.Equal(before, await File.ReadAllBytesAsync(store.PathOf(Key)));
    }

    [Fact]
    public async Task ATailCutAtAnyByteOfTheLastRecordLosesThatRecordOnly()
    {
        FileConversationStore store = OpenFiles();
        ConversationState before = await Write(store, Key, 3);
        string path = store.PathOf(Key);
        int whole = (int)new FileInfo(path).Length;
        Assert.True(await store.TryAppendAsync(Key, before.Version, Add(before, 99)));
        byte[] bytes = await File.ReadAllBytesAsync(path);
        for (int length = whole; length < bytes.Length; length++)
        {
            await File.WriteAllBytesAsync(path, bytes[..length]);
            FileConversationStore reopened = OpenFiles(sync: false);
            ConversationState read = (await reopened.ReadAsync(Key))!;
            AssertSame(before, read);
            Assert.True(await reopened.TryAppendAsync(Key, read.Version, Add(read, 7)));
            Assert.Equal("7", (await OpenFiles().ReadAsync(Key))!.Log.Messages[^1].Content);
        }
    }

    [Fact]
    public async Task ZerosAtTheEndAreATornTail()
    {
        FileConversationStore store = OpenFiles();
        ConversationState before = await Write(store, Key, 3);
        string path = store.PathOf(Key);
        byte[] whole = await File.ReadAllBytesAsync(path);
        await File.WriteAllBytesAsync(path, [.. whole, .. new byte[500]]);
        AssertSame(before, (await OpenFiles().ReadAsync(Key))!);
        await File.WriteAllBytesAsync(path, whole);
        await store.TryAppendAsync(Key, before.Version, Add(before, 99));
        byte[] longer = await File.ReadAllBytesAsync(path);
        longer.AsSpan(longer.Length - 10).Clear();
        await File.WriteAllBytesAsync(path, longer);
        AssertSame(before, (await OpenFiles().ReadAsync(Key))!);
    }

    [Fact]
    public async Task AFlippedBitAnywhereElseDamagesThatConversationOnly()
    {
        FileConversationStore store = OpenFiles();
        await Write(store, Key, 3);
        ConversationState other = await Write(store, new("tenant", "two"), 2);
        string path = store.PathOf(Key);
        byte[] bytes = await File.ReadAllBytesAsync(path);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] bent = [.. bytes];
            bent[i] ^= 0x10;
            await File.WriteAllBytesAsync(path, bent);
            FileConversationStore reopened = OpenFiles();
            ConversationDamagedException exception = await Assert.ThrowsAsync<ConversationDamagedException>(async () => await reopened.ReadAsync(Key));
            Assert.Equal(path, exception.Path);
            await Assert.ThrowsAsync<ConversationDamagedException>(async () => await reopened.TryAppendAsync(Key, other.Version, Add(other, 1)));
            Assert.Equal(bent, await File.ReadAllBytesAsync(path));
        }

        FileConversationStore last = OpenFiles();
        AssertSame(other, (await last.ReadAsync(other.Key))!);
        ConversationSummary[] listed = [.. (await last.ListAsync("tenant")).OrderBy(summary => summary.Id)];
        Assert.Equal(["one", "two"], listed.Select(summary => summary.Id));
        Assert.NotNull(listed[0].Damage);
        Assert.Null(listed[1].Damage);
    }

    [Fact]
    public async Task AFileCutInsideItsFirstVersionIsDamaged()
    {
        FileConversationStore store = OpenFiles();
        await Write(store, Key, 1);
        byte[] bytes = await File.ReadAllBytesAsync(store.PathOf(Key));
        for (int length = 0; length < bytes.Length; length++)
        {
            await File.WriteAllBytesAsync(store.PathOf(Key), bytes[..length]);
            await Assert.ThrowsAsync<ConversationDamagedException>(async () => await OpenFiles().ReadAsync(Key));
        }
    }

    [Fact]
    public async Task AFileOfAnotherConversationIsDamage()
    {
        FileConversationStore store = OpenFiles();
        await Write(store, new("tenant", "two"), 1);
        File.Move(store.PathOf(new("tenant", "two")), store.PathOf(Key));
        await Assert.ThrowsAsync<ConversationDamagedException>(async () => await OpenFiles().ReadAsync(Key));
    }

    [Fact]
    public async Task AGrownFileIsCompactedAndKeepsEverythingUndoIncluded()
    {
        FileConversationStore store = OpenFiles(compactAfter: 8), witness = OpenFiles();
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
        AssertSame(state, (await OpenFiles().ReadAsync(Key))!);
        Assert.Equal(ConversationState.MaxUndoDepth, state.Undo.Length);
        Assert.Equal([store.PathOf(Key)], Directory.GetFiles(Path.GetDirectoryName(store.PathOf(Key))!));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("nul")]
    [InlineData("A")]
    [InlineData("a:b")]
    [InlineData("x.conv")]
    public async Task AnyIdMakesAFileOfItsOwnInsideTheFolder(string id)
    {
        FileConversationStore store = OpenFiles();
        var key = new ConversationKey(id, id);
        ConversationState state = await Write(store, key, 2);
        await Write(store, new(id, "a"), 1);
        Assert.StartsWith(_folder.Path + Path.DirectorySeparatorChar, Path.GetFullPath(store.PathOf(key)), StringComparison.Ordinal);
        AssertSame(state, (await OpenFiles().ReadAsync(key))!);
        Assert.Contains(await store.ListAsync(id), summary => summary.Id == id);
    }

    [Fact]
    public async Task AHeldLockIsWaitedForUntilTheDeadline()
    {
        FileConversationStore store = OpenFiles();
        ConversationState state = await Write(store, Key, 1);
        FileStream[] others = [.. Directory.GetFiles(Path.Combine(_folder.Path, ".locks")).Select(path => new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))];
        var impatient = new FileConversationStore(new() { Folder = _folder.Path, LockDeadline = TimeSpan.FromMilliseconds(20) });
        await Assert.ThrowsAsync<ConversationStoreUnavailableException>(async () => await impatient.TryAppendAsync(Key, state.Version, Add(state, 1)));
        Task<bool> patient = store.TryAppendAsync(Key, state.Version, Add(state, 1)).AsTask();
        Assert.False(patient.IsCompleted);
        foreach (FileStream other in others)
            await other.DisposeAsync();
        Assert.True(await patient);
    }

    /// <summary>As when a disk is taken away: no conversation is said not to be there, and the store is whole as soon as the disk is back.</summary>
    [Fact]
    public async Task AFolderThatIsGoneIsSaidUntilItIsBack()
    {
        await using FileConversationStore store = OpenFiles();
        ConversationState state = await Write(store, Key, 3);
        Assert.Null(store.Failure);
        string away = _folder.Path + "-away";
        Directory.Move(_folder.Path, away);
        try
        {
            foreach (Func<Task> call in (Func<Task>[])
                     [
                         async () => await store.ReadAsync(Key),
                         async () => await store.ReadVersionAsync(Key),
                         async () => await store.ListAsync(Key.Tenant),
                         async () => await store.TryAppendAsync(Key, state.Version, Add(state, 9)),
                         async () => await store.TryAppendAsync(new(Key.Tenant, "new"), null, Creation()),
                         async () => await store.TryDeleteAsync(Key, state.Version),
                     ])
            {
                ConversationStoreUnavailableException fault = await Assert.ThrowsAsync<ConversationStoreUnavailableException>(call);
                Assert.Contains("its folder is gone", fault.Message);
                Assert.DoesNotContain(_folder.Path, fault.Message);
            }

            Assert.Contains("its folder is gone", store.Failure);
        }
        finally
        {
            Directory.Move(away, _folder.Path);
        }

        await UntilAsync(() => store.Failure is null);
        AssertSame(state, (await store.ReadAsync(Key))!);
        Assert.True(await store.TryAppendAsync(Key, state.Version, Add(state, 9)));
        Assert.Single(await store.ListAsync(Key.Tenant));
    }

    [Fact]
    public async Task AFileThatMayNotBeWrittenIsSaid()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.UserName == "root", "root may write every file");
        if (OperatingSystem.IsWindows())
            return;
        await using FileConversationStore store = OpenFiles();
        ConversationState state = await Write(store, Key, 3);
        string path = store.PathOf(Key);
        File.SetUnixFileMode(path, UnixFileMode.UserRead);
        Assert.Contains("it may not be written", (await Assert.ThrowsAsync<ConversationStoreUnavailableException>(async () => await store.TryAppendAsync(Key, state.Version, Add(state, 9)))).Message);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.True(await store.TryAppendAsync(Key, state.Version, Add(state, 9)));
        Assert.Null(store.Failure);
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

    protected override IConversationStore Open() => OpenFiles(sync: false);

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (int i = 0; i < 2000 && !holds(); i++)
            await Task.Delay(5);
        Assert.True(holds());
    }

    private FileConversationStore OpenFiles(bool sync = true, int compactAfter = 64) =>
        new(new() { Folder = _folder.Path, Sync = sync, CompactAfterRecords = compactAfter });
}
