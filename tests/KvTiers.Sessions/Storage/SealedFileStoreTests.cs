using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Serialization;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests.Storage;

/// <summary>Files under a key: all that a store does, and nothing that somebody without the key wrote.</summary>
public sealed class SealedFileStoreTests : ConversationStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task ARecordThatSomebodyWithoutTheKeyAddedIsDamage()
    {
        ConversationState state = await Write(Open(), Key, 3);
        using (var record = new RecordBuffer())
        {
            ConversationFile.Write(record, new(Key, Guid.Empty, 3), 4, Add(state, 9));
            await File.AppendAllBytesAsync(OpenFiles().PathOf(Key), record.Written.ToArray());
        }

        ConversationDamagedException damage = await Assert.ThrowsAsync<ConversationDamagedException>(async () => await Open().ReadAsync(Key));
        Assert.Contains("authentication code", damage.Reason, StringComparison.Ordinal);
        Assert.True(await Open().TryDeleteDamagedAsync(Key));
    }

    [Fact]
    public async Task AnothersFileAndPartsOfAnOlderOneAreDamage()
    {
        FileConversationStore store = OpenFiles();
        ConversationState state = await Write(store, Key, 3);
        byte[] older = await File.ReadAllBytesAsync(store.PathOf(Key));
        Assert.True(await store.TryDeleteAsync(Key, state.Version));
        await Write(store, Key, 5);
        byte[] newer = await File.ReadAllBytesAsync(store.PathOf(Key));
        ConversationKey other = new("tenant", "two");
        await Write(store, other, 3);
        byte[] others = await File.ReadAllBytesAsync(store.PathOf(other));

        // The older records behind the newer file's head, which alone says which file of the conversation it is.
        await File.WriteAllBytesAsync(store.PathOf(Key), [.. newer[..28], .. older[28..]]);
        await Assert.ThrowsAsync<ConversationDamagedException>(async () => await OpenFiles().ReadAsync(Key));
        await File.WriteAllBytesAsync(store.PathOf(Key), others);
        await Assert.ThrowsAsync<ConversationDamagedException>(async () => await OpenFiles().ReadAsync(Key));
        await File.WriteAllBytesAsync(store.PathOf(Key), newer);
        Assert.Equal(5, (await OpenFiles().ReadAsync(Key))!.Version.Number);
    }

    [Fact]
    public async Task WhatWasWrittenBeforeThereWasAKeyIsSealedWhenItIsReadIfItMayBeRead()
    {
        ConversationState state = await Write(Forger(), Key, 4);
        Assert.Contains("AcceptUnsigned", (await Assert.ThrowsAsync<ConversationDamagedException>(async () => await OpenFiles().ReadAsync(Key))).Message, StringComparison.Ordinal);
        FileConversationStore accepting = OpenFiles(acceptUnsigned: true);
        AssertSame(state, (await accepting.ReadAsync(Key))!);
        AssertSame(state, (await OpenFiles().ReadAsync(Key))!);

        // The start reads all of them.
        ConversationState other = await Write(Forger(), new("tenant", "two"), 2);
        await foreach (ConversationState read in accepting.ReadAllAsync())
            Assert.NotNull(read);
        AssertSame(other, (await OpenFiles().ReadAsync(other.Key))!);
        Assert.True(await OpenFiles().TryAppendAsync(Key, state.Version, Add(state, 9)));
    }

    [Fact]
    public async Task NothingThatWasSaidCanBeReadInAFileThatIsEncrypted()
    {
        FileConversationStore store = OpenFiles(encrypts: true);
        ConversationCreated created = Creation();
        ConversationState state = ConversationState.Create(Key, created);
        Assert.True(await store.TryAppendAsync(Key, null, created));
        LogChanged change = LogChanged.Between(state.Log, state.Log.Add(new("user", "the combination is 1234", [1, 2, 3])), At);
        Assert.True(await store.TryAppendAsync(Key, state.Version, change));
        await store.Tombstones.WriteAsync(new()
        {
            Id = Guid.NewGuid(),
            Key = Key,
            Version = state.Version,
            Owner = "who owes it",
            Root = default,
            Paths = [new int[] { 1, 2 }],
            DeletedAt = At,
        });
        string[] files = Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);
        Assert.All(files, file => Assert.False(File.ReadAllBytes(file).AsSpan().IndexOf("combination"u8) >= 0 || File.ReadAllBytes(file).AsSpan().IndexOf("who owes it"u8) >= 0, file));
        Assert.Equal("the combination is 1234", (await OpenFiles().ReadAsync(Key))!.Log.Messages[^1].Content);
    }

    public void Dispose() => _folder.Dispose();

    protected override IConversationStore Open() => OpenFiles();

    private FileConversationStore Forger() => new(new FileConversationStoreOptions { Folder = _folder.Path });

    private FileConversationStore OpenFiles(bool encrypts = false, bool acceptUnsigned = false) => new(new FileConversationStoreOptions
    {
        Folder = _folder.Path,
        Protection = TestKeys.Protection(encrypts),
        AcceptUnsigned = acceptUnsigned,
        CompactAfterRecords = 8,
    });
}
