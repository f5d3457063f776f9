using System.Buffers.Binary;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Redis;
using KvTiers.Sessions.Secrets;
using KvTiers.Sessions.Storage;
using KvTiers.Sessions.Tests.Storage;
using KvTiers.Tiers;
using StackExchange.Redis;

namespace KvTiers.Sessions.Tests.Redis;

/// <summary>Conversations on Redis under a key: all that a store does, and nothing that somebody without the key wrote.</summary>
public sealed class SealedRedisStoreTests : ConversationStoreContract, IAsyncDisposable
{
    private const string Hash = "kvc:1:tenant/one";

    private readonly RedisServer _server = new();
    private readonly List<IAsyncDisposable> _open = [];

    public SealedRedisStoreTests() => Assert.SkipWhen(!RedisServer.IsAvailable, RedisServer.Reason);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARecordOfAnyoneElseOrOfAnotherPlaceIsDamage(bool encrypts)
    {
        RedisConversationStore store = OpenRedis(encrypts);
        ConversationState state = await Write(store, Key, 4);
        ConversationState other = await Write(store, new("tenant", "two"), 4);
        IDatabase database = await Connect();
        byte[] second = (await database.HashGetAsync(Hash, "2"))!, third = (await database.HashGetAsync(Hash, "3"))!;
        (string Field, RedisValue Value)[][] forgeries =
        [
            [("3", second)], // replayed
            [("2", third), ("3", second)], // swapped
            [("3", await database.HashGetAsync("kvc:1:tenant/two", "3"))], // another conversation's
            [("3", third[..^20])], // truncated
            [("3", Resummed(third[..^40], third[^20..^4]))], // truncated, with its checksum made right
            [("3", Unsealed(third))],
            [("f", 2)], [("n", 5)], [("i", Guid.NewGuid().ToByteArray())],
        ];
        foreach ((string Field, RedisValue Value)[] forgery in forgeries)
        {
            HashEntry[] before = await database.HashGetAllAsync(Hash);
            await database.HashSetAsync(Hash, [.. forgery.Select(one => new HashEntry(one.Field, one.Value))]);
            ConversationDamagedException damage = await Assert.ThrowsAsync<ConversationDamagedException>(async () => await store.ReadAsync(Key));
            Assert.Equal("tenant/one", damage.Path);
            AssertSame(other, (await store.ReadAsync(other.Key))!);
            await database.HashSetAsync(Hash, before);
            AssertSame(state, (await store.ReadAsync(Key))!);
        }
    }

    /// <summary>Deleted and begun again, a conversation has another incarnation, which its records are sealed for.</summary>
    [Fact]
    public async Task RecordsOfAFormerIncarnationAreDamage()
    {
        RedisConversationStore store = OpenRedis();
        ConversationState former = await Write(store, Key, 3);
        IDatabase database = await Connect();
        RedisValue record = await database.HashGetAsync(Hash, "3");
        Assert.True(await store.TryDeleteAsync(Key, former.Version));
        await Write(store, Key, 3);
        await database.HashSetAsync(Hash, "3", record);
        await Assert.ThrowsAsync<ConversationDamagedException>(async () => await store.ReadAsync(Key));
    }

    [Fact]
    public async Task ARecordThatSomebodyWithoutTheKeyAddedIsDamage()
    {
        ConversationState state = await Write(Open(), Key, 3);
        Assert.True(await Forger().TryAppendAsync(Key, state.Version, Add(state, 9)));
        Assert.Contains("authentication code", (await Assert.ThrowsAsync<ConversationDamagedException>(async () => await Open().ReadAsync(Key))).Reason, StringComparison.Ordinal);
        Assert.Equal("one", Assert.Single(await Open().ListAsync("tenant"), summary => summary.Damage is not null).Id);
    }

    [Fact]
    public async Task WhatWasWrittenBeforeThereWasAKeyIsSealedWhenItIsReadIfItMayBeRead()
    {
        ConversationState state = await Write(Forger(), Key, 4);
        Assert.Contains("AcceptUnsigned", (await Assert.ThrowsAsync<ConversationDamagedException>(async () => await OpenRedis().ReadAsync(Key))).Message, StringComparison.Ordinal);
        AssertSame(state, (await OpenRedis(acceptUnsigned: true).ReadAsync(Key))!);
        AssertSame(state, (await OpenRedis().ReadAsync(Key))!);
        Assert.True(await OpenRedis().TryAppendAsync(Key, state.Version, Add(state, 9)));
    }

    [Fact]
    public async Task NothingThatWasSaidCanBeReadOnAServerWhoseRecordsAreEncrypted()
    {
        RedisConversationStore store = OpenRedis(encrypts: true);
        ConversationCreated created = Creation();
        ConversationState state = ConversationState.Create(Key, created);
        Assert.True(await store.TryAppendAsync(Key, null, created));
        Assert.True(await store.TryAppendAsync(Key, state.Version, LogChanged.Between(state.Log, state.Log.Add(new("user", "the combination is 1234", [1, 2, 3])), At)));
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
        byte[] secret = TenantSalts.NewSecret();
        Assert.Equal(secret, await store.AgreeAsync(secret));
        IDatabase database = await Connect();
        byte[][] values =
        [
            .. (await database.HashGetAllAsync(Hash)).Select(entry => (byte[])entry.Value!),
            .. (await database.HashGetAllAsync("kvc:1://tombstones")).Select(entry => (byte[])entry.Value!), (await database.StringGetAsync("kvc:1://secret"))!,
        ];
        Assert.Equal(2 + 3 + 1 + 1, values.Length);
        Assert.All(values, value => Assert.True(value.AsSpan().IndexOf("combination"u8) < 0 && value.AsSpan().IndexOf("who owes it"u8) < 0 && value.AsSpan().IndexOf(secret) < 0));
        Assert.Equal("the combination is 1234", (await OpenRedis().ReadAsync(Key))!.Log.Messages[^1].Content);
    }

    [Fact]
    public async Task ASecretOrATombstoneOfSomebodyWithoutTheKeyIsNotTaken()
    {
        KvTiers.Sessions.Storage.Tombstone forged = new() { Id = Guid.NewGuid(), Key = Key, Version = new(Guid.NewGuid(), 1), Owner = "o", Root = default, Paths = [], DeletedAt = At };
        await Forger().Tombstones.WriteAsync(forged);
        Assert.Empty(await OpenRedis().Tombstones.ReadAllAsync().ToListAsync());
        Assert.Equal(forged.Id, Assert.Single(await OpenRedis(acceptUnsigned: true).Tombstones.ReadAllAsync().ToListAsync()).Id);

        byte[] theirs = TenantSalts.NewSecret();
        theirs[0] = 0xC1; // as a sealed one begins
        await Forger().AgreeAsync(theirs);
        Assert.Contains("AcceptUnsigned", (await Assert.ThrowsAsync<FormatException>(async () => await OpenRedis().AgreeAsync(TenantSalts.NewSecret()))).Message, StringComparison.Ordinal);
        Assert.Equal(theirs, await OpenRedis(acceptUnsigned: true).AgreeAsync(TenantSalts.NewSecret()));
        Assert.Equal(theirs, await OpenRedis().AgreeAsync(TenantSalts.NewSecret()));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable one in _open)
            await one.DisposeAsync();

        _server.Dispose();
    }

    protected override IConversationStore Open() => OpenRedis();

    private RedisConversationStore Forger() => Keep(RedisConversationStore.ConnectAsync(Options).GetAwaiter().GetResult());

    private RedisConversationStore OpenRedis(bool encrypts = false, bool acceptUnsigned = false) => Keep(RedisConversationStore.ConnectAsync(
        Options with { Protection = TestKeys.Protection(encrypts), AcceptUnsigned = acceptUnsigned }).GetAwaiter().GetResult());

    // A busy machine is no reason to give up.
    private RedisConversationStoreOptions Options => new() { Configuration = _server.Configuration, Deadline = TimeSpan.FromSeconds(60) };

    // Without the seal's head and code, as a store without a key writes it.
    private static byte[] Unsealed(byte[] record) => Resummed(record[..16], record[40..^20]);

    private static byte[] Resummed(params byte[][] parts)
    {
        byte[] record = [.. parts.SelectMany(part => part), .. new byte[4]];
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - 4), Crc32C.Compute(record.AsSpan(0, record.Length - 4)));
        return record;
    }

    private async Task<IDatabase> Connect() => Keep(await ConnectionMultiplexer.ConnectAsync(_server.Configuration)).GetDatabase();

    // A client that nobody holds is collected with what it waits for.
    private T Keep<T>(T opened)
        where T : IAsyncDisposable
    {
        lock (_open)
            _open.Add(opened);

        return opened;
    }
}
