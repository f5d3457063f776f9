using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Redis;
using KvTiers.Sessions.Storage;
using KvTiers.Tests.Shared;
using StackExchange.Redis;

namespace KvTiers.Sessions.Tests.Redis;

/// <summary>Keys of the store that hold something else: a conversation's is that conversation's damage, and lists are made anew.</summary>
public sealed class RedisListTests : IAsyncDisposable
{
    private static readonly ConversationKey One = new("tenant", "one");
    private static readonly ConversationKey Two = new("tenant", "two");

    private readonly RedisServer _server = new();
    private readonly List<string> _reports = [];
    private readonly ManualTime _time = new();
    private RedisConversationStore? _store;
    private ConnectionMultiplexer? _connection;

    public RedisListTests() => Assert.SkipWhen(!RedisServer.IsAvailable, RedisServer.Reason);

    [Fact]
    public async Task AConversationsKeyThatHoldsSomethingElseIsDamageOfThatConversationAlone()
    {
        (RedisConversationStore store, IDatabase database) = await OpenAsync();
        ConversationState state = await CreateAsync(store, One);
        await CreateAsync(store, Two);
        foreach (string kind in (string[])["string", "list", "first"])
        {
            if (kind == "first")
            {
                await database.KeyDeleteAsync("kvc:1:tenant/one");
                await CreateAsync(store, One, state.Version.Incarnation);
                await database.HashSetAsync("kvc:1:tenant/one", "f", "x");
            }
            else
            {
                await database.KeyDeleteAsync("kvc:1:tenant/one");
                _ = kind == "string" ? await database.StringSetAsync("kvc:1:tenant/one", "x") : await database.ListRightPushAsync("kvc:1:tenant/one", "x") > 0;
                await Assert.ThrowsAsync<ConversationDamagedException>(async () => await store.ReadVersionAsync(One));
                await Assert.ThrowsAsync<ConversationDamagedException>(async () => await store.TryDeleteAsync(One, state.Version));
            }

            await Assert.ThrowsAsync<ConversationDamagedException>(async () => await store.ReadAsync(One));
            await Assert.ThrowsAsync<ConversationDamagedException>(async () => await store.TryAppendAsync(One, state.Version, new PinChanged { At = default, Until = null }));
            Assert.False(store.IsFailing);
            Assert.Equal([true, false], (await store.ListAsync("tenant")).OrderBy(summary => summary.Id).Select(summary => summary.Damage is not null));
            Assert.NotNull(await store.ReadAsync(Two));
        }

        Assert.True(await store.TryDeleteDamagedAsync(One));
        await CreateAsync(store, One);
    }

    [Theory]
    [InlineData("kvc:1:tenant//ids", "string")]
    [InlineData("kvc:1:tenant//ids", "hash")]
    [InlineData("{kvc:1:tenant//ids}/doubts", "string")]
    [InlineData("{kvc:1:tenant//ids}/doubts", "hash")]
    public async Task AListThatSomebodyReplacedIsMadeAnew(string key, string kind)
    {
        (RedisConversationStore store, IDatabase database) = await OpenAsync();
        await CreateAsync(store, One);
        await CreateAsync(store, Two);
        await database.KeyDeleteAsync(key);
        _ = kind == "string" ? await database.StringSetAsync(key, "x") : await database.HashSetAsync(key, "x", "y");
        Assert.Equal(["one", "two"], (await store.ListAsync("tenant")).Select(summary => summary.Id).Order());
        ConversationKey three = new("tenant", "three");
        await CreateAsync(store, three);
        Assert.Equal(3, (await store.ListAsync("tenant")).Count);
        Assert.Equal(store.Trouble, Assert.Single(_reports));
        Assert.False(store.IsFailing);
    }

    [Fact]
    public async Task AListThatSomebodyEmptiedIsMadeAnewAtTheNextLook()
    {
        (RedisConversationStore store, IDatabase database) = await OpenAsync();
        await CreateAsync(store, One);
        await CreateAsync(store, Two);
        await database.KeyDeleteAsync("kvc:1:tenant//ids");
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        while (store.Trouble is null)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, deadline.Token);
        }

        Assert.Equal(["one", "two"], (await store.ListAsync("tenant")).Select(summary => summary.Id).Order());
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(store.Trouble);
        Assert.Single(_reports);
    }

    [Fact]
    public async Task TombstonesThatSomebodyReplacedBeginAnew()
    {
        (RedisConversationStore store, IDatabase database) = await OpenAsync();
        await database.StringSetAsync("kvc:1://tombstones", "x");
        Tombstone tombstone = new() { Id = Guid.NewGuid(), Key = One, Version = new(Guid.NewGuid(), 1), Owner = "o", Root = default, Paths = [], DeletedAt = default };
        await store.Tombstones.WriteAsync(tombstone);
        Assert.Equal(tombstone.Id, Assert.Single(await store.Tombstones.ReadAllAsync().ToListAsync()).Id);
        Assert.Contains("//tombstones", Assert.Single(_reports), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASecretThatIsNoStringIsNamed()
    {
        (RedisConversationStore store, IDatabase database) = await OpenAsync();
        await database.ListRightPushAsync("kvc:1://secret", "x");
        Assert.Contains("//secret", (await Assert.ThrowsAsync<FormatException>(async () => await store.AgreeAsync(new byte[32]))).Message, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
        _server.Dispose();
    }

    private static async Task<ConversationState> CreateAsync(IConversationStore store, ConversationKey key, Guid? incarnation = null)
    {
        var created = new ConversationCreated { At = default, Incarnation = incarnation ?? Guid.NewGuid(), Model = "m", Vocabulary = "v", Messages = [] };
        Assert.True(await store.TryAppendAsync(key, null, created));
        return (await store.ReadAsync(key))!;
    }

    private async Task<(RedisConversationStore Store, IDatabase Database)> OpenAsync()
    {
        _store = await RedisConversationStore.ConnectAsync(
            new RedisConversationStoreOptions { Configuration = _server.Configuration, Deadline = TimeSpan.FromSeconds(60), Report = _reports.Add }, _time);
        _connection = await ConnectionMultiplexer.ConnectAsync(_server.Configuration);
        return (_store, _connection.GetDatabase());
    }
}
