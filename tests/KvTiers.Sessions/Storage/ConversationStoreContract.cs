using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests.Storage;

/// <summary>What every conversation store keeps to.</summary>
public abstract class ConversationStoreContract
{
    protected static readonly ConversationKey Key = new("tenant", "one");
    protected static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public async Task WhatWasWrittenIsReadByAnotherStore()
    {
        ConversationState state = await Write(Open(), Key, 3);
        ConversationState read = (await Open().ReadAsync(Key))!;
        AssertSame(state, read);
        Assert.Equal(state.Version, await Open().ReadVersionAsync(Key));
    }

    [Fact]
    public async Task ATombstoneIsReadByAnotherStoreUntilItIsRemoved()
    {
        Tombstone one = Grave(), two = Grave();
        await Open().Tombstones.WriteAsync(one);
        await Open().Tombstones.WriteAsync(two);
        await Open().Tombstones.WriteAsync(two);
        List<Tombstone> read = await Graves();
        Assert.Equal(new[] { one.Id, two.Id }.Order(), read.Select(tombstone => tombstone.Id).Order());
        Tombstone again = read.Single(tombstone => tombstone.Id == one.Id);
        Assert.Equal((one.Key, one.Version, one.Owner, one.Root, one.DeletedAt), (again.Key, again.Version, again.Owner, again.Root, again.DeletedAt));
        Assert.Equal(one.Paths.Select(path => path.ToArray()), again.Paths.Select(path => path.ToArray()));

        await Open().Tombstones.RemoveAsync(one);
        await Open().Tombstones.RemoveAsync(one);
        Assert.Equal([two.Id], (await Graves()).Select(tombstone => tombstone.Id));
        Assert.Empty(await Open().ListAsync("tenant"));
        await foreach (ConversationState state in Open().ReadAllAsync())
            Assert.Fail($"A tombstone is no conversation: {state.Key}");

        static Tombstone Grave() => new()
        {
            Id = Guid.CreateVersion7(),
            Key = Key,
            Version = new(Guid.NewGuid(), 7),
            Owner = "here",
            Root = default(BlockHash).Next([1, 2, 3]),
            Paths = [new[] { 1, 2, 3 }, new[] { 4 }],
            DeletedAt = At,
        };

        async Task<List<Tombstone>> Graves()
        {
            List<Tombstone> found = [];
            await foreach (Tombstone tombstone in Open().Tombstones.ReadAllAsync())
                found.Add(tombstone);
            return found;
        }
    }

    [Fact]
    public async Task AnUnknownConversationIsNull()
    {
        IConversationStore store = Open();
        Assert.Null(await store.ReadAsync(Key));
        Assert.Null(await store.ReadVersionAsync(Key));
        Assert.Empty(await store.ListAsync("tenant"));
        Assert.False(await store.TryDeleteAsync(Key, new(Guid.NewGuid(), 1)));
    }

    [Fact]
    public async Task AConversationDeletedAndBegunAgainIsNotTheOneThatWas()
    {
        IConversationStore store = Open(), other = Open();
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
            IConversationStore store = Open();
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
    public async Task TenantsDoNotSeeEachOthersConversations()
    {
        IConversationStore store = Open();
        await Write(store, new("a", "x"), 1);
        await Write(store, new("b", "x"), 2);
        Assert.Equal([1L], (await store.ListAsync("a")).Select(summary => summary.Version));
        Assert.Equal([2L], (await store.ListAsync("b")).Select(summary => summary.Version));
    }

    [Fact]
    public async Task TheLongestIdFits()
    {
        var key = new ConversationKey(new string('t', 128), new string('x', 128));
        await Write(Open(), key, 1);
        Assert.NotNull(await Open().ReadAsync(key));
    }

    [Fact]
    public async Task AListFollowsWhatOthersChange()
    {
        IConversationStore store = Open();
        ConversationState state = await Write(store, Key, 2);
        Assert.Equal(2, Assert.Single(await store.ListAsync("tenant")).MessageCount);
        Assert.True(await Open().TryAppendAsync(Key, state.Version, Add(state, 5)));
        Assert.Equal(3, Assert.Single(await store.ListAsync("tenant")).MessageCount);
    }

    [Fact]
    public async Task OnlyTheStoredVersionIsReplacedOrDeleted()
    {
        IConversationStore store = Open();
        ConversationState state = await Write(store, Key, 2);
        foreach (ConversationVersion wrong in new[] { state.Version with { Number = 1 }, state.Version with { Number = 3 }, state.Version with { Incarnation = Guid.NewGuid() } })
        {
            Assert.False(await store.TryAppendAsync(Key, wrong, Add(state, 9)));
            Assert.False(await store.TryDeleteAsync(Key, wrong));
        }

        Assert.False(await store.TryAppendAsync(Key, null, Creation()));
        AssertSame(state, (await Open().ReadAsync(Key))!);
        Assert.True(await store.TryDeleteAsync(Key, state.Version));
        Assert.Null(await Open().ReadAsync(Key));
        Assert.Empty(await Open().ListAsync(Key.Tenant));
    }

    [Fact]
    public async Task AHundredChangesKeepEverythingUndoIncluded()
    {
        IConversationStore store = Open(), witness = Open();
        ConversationState state = await Write(store, Key, 1);
        for (int i = 0; i < 100; i++)
        {
            LogChanged change = LogChanged.Between(state.Log, new([state.Log.Messages[0], Message(i)]), At);
            Assert.True(await store.TryAppendAsync(Key, state.Version, change));
            state = state.Apply(change);
            Assert.Equal(state.Version, await witness.ReadVersionAsync(Key));
        }

        AssertSame(state, (await Open().ReadAsync(Key))!);
        Assert.Equal(ConversationState.MaxUndoDepth, state.Undo.Length);
    }

    [Fact]
    public async Task AllAreTheNewestVersionsOfEveryTenantsConversations()
    {
        ConversationKey other = new("another-tenant", "two"), gone = new("tenant", "gone");
        IConversationStore store = Open();
        ConversationState first = await Write(store, Key, 2), second = await Write(store, other, 3), third = await Write(store, gone, 1);
        Assert.True(await store.TryDeleteAsync(gone, third.Version));
        Dictionary<ConversationKey, ConversationState> all = [];
        await foreach (ConversationState state in Open().ReadAllAsync())
            all.Add(state.Key, state);
        AssertSame(first, all[Key]);
        AssertSame(second, all[other]);
        Assert.DoesNotContain(gone, all.Keys);
    }

    /// <summary>A store over what all stores of the test share; the test's end disposes it.</summary>
    protected abstract IConversationStore Open();

    protected static LoggedMessage Message(int i) => new("user", $"{i}", [i, i + 1, 70000 + i]);

    protected static ConversationCreated Creation() =>
        new() { At = At, Incarnation = Guid.NewGuid(), Model = "demo", Vocabulary = "v", Messages = [Message(0)] };

    protected static LogChanged Add(ConversationState state, int i) => LogChanged.Between(state.Log, state.Log.Add(Message(i)), At.AddSeconds(i));

    protected static async Task<ConversationState> Write(IConversationStore store, ConversationKey key, int versions)
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

    protected static void AssertSame(ConversationState expected, ConversationState actual)
    {
        Assert.True(expected.Log.SameAs(actual.Log));
        Assert.Equal(expected.Undo.Length, actual.Undo.Length);
        Assert.All(expected.Undo.Zip(actual.Undo), pair => Assert.True(pair.First.SameAs(pair.Second)));
        Assert.Equal(
            expected with { Log = TokenLog.Empty, Undo = ImmutableArray<TokenLog>.Empty },
            actual with { Log = TokenLog.Empty, Undo = ImmutableArray<TokenLog>.Empty });
    }
}
