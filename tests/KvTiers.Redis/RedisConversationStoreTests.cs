using KvTiers.Sessions;
using KvTiers.Sessions.Tests.Storage;
using StackExchange.Redis;

namespace KvTiers.Redis.Tests;

public sealed class RedisConversationStoreTests : ConversationStoreContract, IAsyncDisposable
{
    private readonly RedisServer _server = new();
    private readonly List<IAsyncDisposable> _open = [];

    public RedisConversationStoreTests() => Assert.SkipWhen(!RedisServer.IsAvailable, "redis-server is not on the path");

    [Fact]
    public async Task AWriteThatArrivesTwiceIsStoredOnce()
    {
        IConversationStore store = Open();
        ConversationState state = await Write(store, Key, 1);
        byte[] nonce = Guid.NewGuid().ToByteArray();
        byte[] incarnation = state.Version.Incarnation.ToByteArray(bigEndian: true);
        RedisValue[] arguments = [incarnation, 1, incarnation, (byte[])[.. nonce, 1, 2, 3], nonce, Key.Id, 0];
        IDatabase database = await Connect();
        RedisKey[] keys = ["kvc:1:tenant/one", "kvc:1:tenant//ids"];
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
    public async Task ChangesAreReplacedByTheStateOnceTheyAreMany()
    {
        RedisConversationStore store = OpenRedis(Patient with { CompactAfterRecords = 8 });
        ConversationState state = await Write(store, Key, 50);
        IDatabase database = await Connect();
        Assert.InRange(await database.HashLengthAsync("kvc:1:tenant/one"), 4, 3 + 8);
        AssertSame(state, (await Open().ReadAsync(Key))!);
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

    [Fact]
    public async Task ATimeToLiveCountsFromTheLastChange()
    {
        RedisConversationStore store = OpenRedis(Patient with { TimeToLive = TimeSpan.FromHours(2) });
        ConversationState state = await Write(store, Key, 1);
        IDatabase database = await Connect();
        await database.KeyExpireAsync("kvc:1:tenant/one", TimeSpan.FromMinutes(3));
        Assert.True(await store.TryAppendAsync(Key, state.Version, Add(state, 1)));
        Assert.InRange((await database.KeyTimeToLiveAsync("kvc:1:tenant/one"))!.Value.TotalMinutes, 119, 120);

        await database.KeyDeleteAsync("kvc:1:tenant/one"); // as if it had expired
        Assert.Empty(await store.ListAsync("tenant"));
        Assert.Equal(0, await database.SetLengthAsync("kvc:1:tenant//ids"));
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
        {
            await one.DisposeAsync();
        }

        _server.Dispose();
    }

    // A busy machine is no reason to give up.
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
        {
            _open.Add(opened);
        }

        return opened;
    }
}
