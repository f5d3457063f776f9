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

public sealed class RedisConversationStoreTests : ConversationStoreContract, IAsyncDisposable
{
    private static readonly RedisKey Ids = "kvc:1:tenant//ids";
    private static readonly RedisKey Doubts = "{kvc:1:tenant//ids}/doubts";

    private readonly RedisServer _server = new();
    private readonly List<IAsyncDisposable> _open = [];

    public RedisConversationStoreTests() => Assert.SkipWhen(!RedisServer.IsAvailable, RedisServer.Reason);

    [Fact]
    public async Task AWriteThatArrivesTwiceIsStoredOnce()
    {
        IConversationStore store = Open();
        ConversationState state = await Write(store, Key, 1);
        byte[] nonce = Guid.NewGuid().ToByteArray();
        byte[] incarnation = state.Version.Incarnation.ToByteArray(bigEndian: true);
        RedisValue[] arguments = [incarnation, 1, incarnation, (byte[])[.. nonce, 1, 2, 3], nonce, 0];
        IDatabase database = await Connect();
        RedisKey[] keys = ["kvc:1:tenant/one"];
        async Task<(long Stored, long Records)> Append()
        {
            long[] numbers = (long[])(await database.ScriptEvaluateAsync(ConversationScripts.Append, keys, arguments))!;
            return (numbers[0], numbers[1]);
        }

        Assert.Equal((1, 2), await Append());
        Assert.Equal((1, 2), await Append());
        Assert.Equal(2, (await store.ReadVersionAsync(Key))!.Value.Number);
        arguments[4] = Guid.NewGuid().ToByteArray();
        Assert.Equal((0, 0), await Append());
    }

    [Fact]
    public async Task AllServersAgreeOnTheSecretOfTheFirst()
    {
        byte[][] agreed = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => OpenRedis(new() { Configuration = _server.Configuration }).AgreeAsync(TenantSalts.NewSecret()).AsTask()));
        Assert.All(agreed, secret => Assert.Equal(agreed[0], secret));
        Assert.Equal(TenantSalts.ByteCount, agreed[0].Length);
        await (await Connect()).StringSetAsync("kvc:1://secret", "short");
        FormatException fault = await Assert.ThrowsAsync<FormatException>(() => OpenRedis(new() { Configuration = _server.Configuration }).AgreeAsync(TenantSalts.NewSecret()).AsTask());
        Assert.DoesNotContain("short", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChangesAreReplacedByTheStateOnceTheyAreMany()
    {
        RedisConversationStore store = OpenRedis(Patient with { CompactAfterRecords = 8 });
        ConversationState state = await Write(store, Key, 50);
        IDatabase database = await Connect();
        Assert.InRange(await database.HashLengthAsync("kvc:1:tenant/one"), 4, 3 + 8);
        AssertSame(state, (await Open().ReadAsync(Key))!);
    }

    [Fact]
    public async Task AFullRedisIsSaidUntilItHasRoom()
    {
        RedisConversationStore store = OpenRedis(Patient);
        IDatabase database = await Connect();
        await AssertTakesNoChangesAsync(
            store,
            async () => await database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1"),
            "its memory is full (maxmemory)",
            async () => await database.ExecuteAsync("CONFIG", "SET", "maxmemory", "0"));
    }

    [Fact]
    public async Task ARedisThatCannotSaveIsSaidUntilItTakesChanges()
    {
        Assert.SkipUnless(RedisServer.IsLocal, "the folder of a Redis in a container cannot be taken away");
        using RedisServer keeping = RedisServer.StartKeeping();
        RedisConversationStore store = OpenRedis(Patient with { Configuration = keeping.Configuration });
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(keeping.Configuration);
        IDatabase database = connection.GetDatabase();
        string folder = ((string[])(await database.ExecuteAsync("CONFIG", "GET", "dir"))!)[1];
        await AssertTakesNoChangesAsync(
            store,
            async () =>
            {
                await database.ExecuteAsync("CONFIG", "SET", "save", "3600 1");
                Directory.Delete(folder, recursive: true);
                await database.ExecuteAsync("BGSAVE");
                await UntilAsync(() => connection.GetServers()[0].Info("persistence")[0].Any(line => line is { Key: "rdb_last_bgsave_status", Value: "err" }));
            },
            "it cannot save to its disk (MISCONF)",
            async () => await database.ExecuteAsync("CONFIG", "SET", "stop-writes-on-bgsave-error", "no"));
        Directory.CreateDirectory(folder);
    }

    [Theory]
    [InlineData("2", null)]
    [InlineData("2", "short")]
    [InlineData("2", "a record that is long enough, and of which the checksum is wrong")]
    [InlineData("n", "7")]
    [InlineData("n", "x")]
    [InlineData("i", "x")]
    public async Task DamageIsNamedAndStopsThatConversationOnly(string field, string? value)
    {
        IConversationStore store = Open();
        await Write(store, Key, 3);
        ConversationState other = await Write(store, new("tenant", "two"), 2);
        IDatabase database = await Connect();
        _ = value is null ? await database.HashDeleteAsync("kvc:1:tenant/one", field) : await database.HashSetAsync("kvc:1:tenant/one", field, value);
        ConversationDamagedException damage = await Assert.ThrowsAsync<ConversationDamagedException>(async () => await store.ReadAsync(Key));
        Assert.Equal("tenant/one", damage.Path);
        AssertSame(other, (await store.ReadAsync(other.Key))!);
        Assert.Equal([true, false], (await store.ListAsync("tenant")).OrderBy(summary => summary.Id).Select(summary => summary.Damage is not null));
    }

    /// <summary>The checksum is right each time: what is wrong was written so.</summary>
    [Theory]
    [InlineData("930102{0}c0")] // something follows
    [InlineData("9301 02 c0")] // no body
    [InlineData("9301c0{0}")] // no version
    [InlineData("930103{0}")] // another version
    [InlineData("930102 81a26174cf08dec32d0e3ba000")] // a field is missing
    [InlineData("930102 83a26174cf08dec32d0e3ba000a46b696e64a370696ea26174cf08dec32d0e3ba000")] // one stands twice
    [InlineData("930102 82a26174cf08dec32d0e3ba000a46b696e64a3ff696e")] // no UTF-8
    [InlineData("930102 82a26174cf08dec32d0e3ba000a46b696e64a3eda080")] // half of a surrogate pair
    [InlineData("930102 82a26174a13161a46b696e64a370696e")] // a time that is text
    [InlineData("930102 83a26174cf08dec32d0e3ba000a46b696e64a370696ea5756e74696cdbffffffff")] // 4 GiB
    [InlineData("dfffffffff")]
    public async Task ARecordThatIsNoneIsDamage(string payload)
    {
        const string Unpin = "82a26174cf08dec32d0e3ba000a46b696e64a370696e";
        IConversationStore store = Open();
        await Write(store, Key, 2);
        IDatabase database = await Connect();
        async Task Put(string hex)
        {
            byte[] record = [.. new byte[16], .. Convert.FromHexString(hex.Replace("{0}", Unpin, StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal)), .. new byte[4]];
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - 4), Crc32C.Compute(record.AsSpan(0, record.Length - 4)));
            await database.HashSetAsync("kvc:1:tenant/one", "2", record);
        }

        await Put("930102{0}");
        Assert.Equal(2, (await store.ReadAsync(Key))!.Version.Number);
        await Put(payload);
        ConversationDamagedException damage = await Assert.ThrowsAsync<ConversationDamagedException>(async () => await store.ReadAsync(Key));
        Assert.IsType<FormatException>(damage.InnerException);
    }

    [Fact]
    public async Task ARecordHasTheBytesItAlwaysHad()
    {
        IConversationStore store = Open();
        ConversationState state = await Write(store, Key, 1);
        Assert.True(await store.TryAppendAsync(Key, state.Version, new PinChanged { At = At, Until = null }));
        byte[] record = (await (await Connect()).HashGetAsync("kvc:1:tenant/one", "2"))!;

        // 16 bytes of its own, [1, version 2, {at: 2026-01-02 03:04:05 in ticks, kind: "pin"}], the CRC-32C of both.
        Assert.Equal("930102" + "82a26174cf08de49ab96b70080a46b696e64a370696e", Convert.ToHexStringLower(record.AsSpan(16..^4)));
        Assert.Equal(Crc32C.Compute(record.AsSpan(..^4)), BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(^4..)));
    }

    [Fact]
    public async Task ATimeToLiveCountsFromTheLastChange()
    {
        RedisConversationStore store = OpenRedis(Patient with { TimeToLive = TimeSpan.FromHours(2), UnlistAfter = TimeSpan.Zero });
        ConversationState state = await Write(store, Key, 1);
        IDatabase database = await Connect();
        await database.KeyExpireAsync("kvc:1:tenant/one", TimeSpan.FromMinutes(3));
        Assert.True(await store.TryAppendAsync(Key, state.Version, Add(state, 1)));
        Assert.InRange((await database.KeyTimeToLiveAsync("kvc:1:tenant/one"))!.Value.TotalMinutes, 119, 120);

        await database.KeyDeleteAsync("kvc:1:tenant/one"); // as if it had expired
        Assert.Empty(await store.ListAsync("tenant")); // and it is doubted
        Assert.Empty(await store.ListAsync("tenant"));
        Assert.Equal((0, false), (await database.SetLengthAsync(Ids), await database.KeyExistsAsync(Doubts)));
    }

    /// <summary>An id is listed before its conversation is stored, and may be doubted in between: it stays, as the doubt is not old.</summary>
    [Fact]
    public async Task AnIdWhoseConversationIsNotThereYetStaysListed()
    {
        IConversationStore store = Open();
        IDatabase database = await Connect();
        await database.SetAddAsync(Ids, Key.Id); // by a silo that is about to store it
        for (int i = 0; i < 3; i++)
            Assert.Empty(await store.ListAsync("tenant"));
        Assert.Equal([Key.Id], (await database.SetMembersAsync(Ids)).Select(id => id.ToString()));
        Assert.True(await database.KeyExistsAsync(Doubts));
    }

    /// <summary>A doubt that is old is lifted by who begins the conversation again: what was looked up before does not unlist it.</summary>
    [Fact]
    public async Task ADoubtFromBeforeItWasBegunAgainUnlistsNothing()
    {
        RedisConversationStore store = OpenRedis(new() { Configuration = _server.Configuration, UnlistAfter = TimeSpan.Zero });
        IDatabase database = await Connect();
        ConversationState former = await Write(store, Key, 1);
        Assert.True(await store.TryDeleteAsync(Key, former.Version));
        await database.SortedSetAddAsync(Doubts, Key.Id, 5);
        await database.SetAddAsync(Ids, Key.Id);

        // Another silo lists, has read the doubt and not found the conversation; now it is begun, and then the other goes on.
        await Write(store, Key, 1);
        await database.ScriptEvaluateAsync(ConversationScripts.Unlist, [Ids, Doubts], [Key.Id, 5]);
        Assert.Equal(Key.Id, Assert.Single(await store.ListAsync("tenant")).Id);
        Assert.False(await database.SortedSetScoreAsync(Doubts, Key.Id) == 5);
    }

    [Fact]
    public async Task DeletionsTidyAwayTheIdsOfThoseBefore()
    {
        RedisConversationStore store = OpenRedis(new() { Configuration = _server.Configuration, UnlistAfter = TimeSpan.FromMilliseconds(1) });
        IDatabase database = await Connect();
        for (int i = 0; i < 20; i++)
        {
            ConversationState state = await Write(store, new("tenant", $"c{i}"), 1);
            Assert.True(await store.TryDeleteAsync(state.Key, state.Version));
            await Task.Delay(20);
        }

        ConversationState last = await Write(store, Key, 1);
        for (int attempt = 0; await database.SetLengthAsync(Ids) > 9; attempt++)
        {
            Assert.True(attempt < 100, "no deletion took away what others left");
            await Task.Delay(50);
        }

        Assert.Equal(last.Key.Id, Assert.Single(await store.ListAsync("tenant")).Id);
    }

    /// <summary>What a node of a cluster lost of the list, having acknowledged it, comes back as conversations go on.</summary>
    [Fact]
    public async Task AnIdThatWasLostIsListedAgainWhenItsConversationIsCompacted()
    {
        RedisConversationStore store = OpenRedis(new() { Configuration = _server.Configuration, CompactAfterRecords = 4 });
        ConversationState state = await Write(store, Key, 2);
        await (await Connect()).KeyDeleteAsync(Ids);
        Assert.Empty(await store.ListAsync("tenant"));
        for (int i = 2; i < 5; i++)
        {
            LogChanged change = Add(state, i);
            Assert.True(await store.TryAppendAsync(Key, state.Version, change));
            state = state.Apply(change);
        }

        Assert.Equal(Key.Id, Assert.Single(await store.ListAsync("tenant")).Id);
    }

    /// <summary>Keys as every version so far has named them: what is stored is found by a newer build, without being moved.</summary>
    [Fact]
    public async Task KeysAreNamedAsTheyAlwaysWere()
    {
        await Write(Open(), Key, 1);
        IDatabase database = await Connect();
        Assert.Equal(4, await database.HashLengthAsync("kvc:1:tenant/one"));
        Assert.Equal(["one"], (await database.SetMembersAsync("kvc:1:tenant//ids")).Select(id => id.ToString()));
    }

    [Fact]
    public async Task AServerThatIsAwayIsAnErrorUntilItIsBackAndNothingAcknowledgedIsLost()
    {
        IConversationStore patient = Open();
        ConversationState state = await Write(patient, Key, 2);
        RedisConversationStore store = OpenRedis(Patient with { Deadline = TimeSpan.FromMilliseconds(300) });
        _server.Hang();
        await Assert.ThrowsAsync<ConversationStoreUnavailableException>(async () => await store.ReadVersionAsync(Key));
        await Assert.ThrowsAsync<ConversationStoreUnavailableException>(async () => await store.TryAppendAsync(Key, state.Version, Add(state, 5)));
        _server.Resume();

        // The write whose answer nobody waited for may have arrived or not; either way the store says which version stands.
        ConversationState read = (await patient.ReadAsync(Key))!;
        Assert.InRange(read.Version.Number, 2, 3);
        Assert.True(await patient.TryAppendAsync(Key, read.Version, Add(read, 6)));
        Assert.Equal(read.Version.Number + 1, (await patient.ReadVersionAsync(Key))!.Value.Number);
    }

    [Fact]
    public void OptionsAreChecked()
    {
        var options = new RedisConversationStoreOptions
        {
            Configuration = "x",
            TimeToLive = TimeSpan.FromMinutes(1),
            Deadline = TimeSpan.FromMilliseconds(10),
            CompactAfterRecords = 2,
        };
        options.Validate();
        Assert.Equal("Configuration", Assert.Throws<ArgumentException>(() => (options with { Configuration = " " }).Validate()).ParamName);
        Assert.Equal("KeyPrefix", Assert.Throws<ArgumentException>(() => (options with { KeyPrefix = "" }).Validate()).ParamName);
        Assert.Equal("TimeToLive", Assert.Throws<ArgumentException>(() => (options with { TimeToLive = TimeSpan.FromSeconds(59) }).Validate()).ParamName);
        Assert.Equal("Deadline", Assert.Throws<ArgumentException>(() => (options with { Deadline = TimeSpan.FromMilliseconds(9) }).Validate()).ParamName);
        Assert.Equal("Deadline", Assert.Throws<ArgumentException>(() => (options with { Deadline = TimeSpan.FromSeconds(61) }).Validate()).ParamName);
        Assert.Equal("CompactAfterRecords", Assert.Throws<ArgumentException>(() => (options with { CompactAfterRecords = 1 }).Validate()).ParamName);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable one in _open)
            await one.DisposeAsync();

        _server.Dispose();
    }

    // A busy machine is no reason to give up.
    // What is read all the while says nothing of what is taken.
    private static async Task AssertTakesNoChangesAsync(RedisConversationStore store, Func<Task> begin, string cause, Func<Task> end)
    {
        ConversationState state = await Write(store, Key, 3);
        Assert.Null(store.Failure);
        await begin();
        for (int i = 0; i < 2; i++)
        {
            ConversationStoreUnavailableException fault = await Assert.ThrowsAsync<ConversationStoreUnavailableException>(async () => await store.TryAppendAsync(Key, state.Version, Add(state, 9)));
            Assert.Contains(cause, fault.Message);
            AssertSame(state, (await store.ReadAsync(Key))!);
            Assert.Equal(fault.Message, store.Failure);
            Assert.True(store.IsFailing);
        }

        await Assert.ThrowsAsync<ConversationStoreUnavailableException>(async () => await store.TryAppendAsync(new(Key.Tenant, "new"), null, Creation()));
        await end();
        await UntilAsync(() => store.Failure is null);
        Assert.True(await store.TryAppendAsync(Key, state.Version, Add(state, 9)));
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (int i = 0; i < 2000 && !holds(); i++)
            await Task.Delay(5);
        Assert.True(holds());
    }

    private RedisConversationStoreOptions Patient => new() { Configuration = _server.Configuration, Deadline = TimeSpan.FromSeconds(60) };

    protected override IConversationStore Open() => OpenRedis(Patient);

    private RedisConversationStore OpenRedis(RedisConversationStoreOptions options) =>
        Keep(RedisConversationStore.ConnectAsync(options).GetAwaiter().GetResult());

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
