using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Hosting;
using KvTiers.Sessions.Storage;
using Tombstone = KvTiers.Sessions.Storage.Tombstone;

namespace KvTiers.Sessions.Tests.Erasure;

/// <summary>A deletion leaves no block behind, whatever fails on its way and wherever the process ends.</summary>
public sealed class DurableDeletionTests(TinyModel model)
{
    private static readonly LocalConversationsOptions NothingHeld = new() { LeasedShare = 0 };
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(DeletionStep.BeforeTombstone)]
    [InlineData(DeletionStep.AfterTombstone)]
    [InlineData(DeletionStep.AfterRecord)]
    [InlineData(DeletionStep.BeforeForgetting)]
    public async Task WhereverTheProcessEndsTheNextOneLeavesNoBlock(DeletionStep step)
    {
        using var folder = new TemporaryFolder();
        using var places = new TierPlaces(ramBlocks: 8);
        var files = new FileConversationStore(new() { Folder = folder.Path });
        var store = new HangingStore(files, step);
        var host = new ConversationHost(model, store, options: NothingHeld, places: places);
        HashSet<BlockHash> own = await TwoConversationsOnDisk(host, places);
        _ = host.Conversations.DeleteAsync(ConversationHost.Key("gone"));
        await store.Reached.WaitAsync(Patience);
        await host.AbandonAsync();

        await using var next = new ConversationHost(model, files, options: NothingHeld, places: places);
        await next.Services.Erasures.IdleAsync().WaitAsync(Patience);
        await next.UntilNothingIsOwed();

        if (step == DeletionStep.BeforeTombstone)
        {
            // Nothing of it has happened.
            Assert.NotNull(await files.ReadAsync(ConversationHost.Key("gone")));
            Assert.NotEmpty(places.OnDisk().Intersect(own));
            return;
        }

        Assert.Null(await files.ReadAsync(ConversationHost.Key("gone")));
        Assert.Empty(places.OnDisk().Intersect(own));
        Assert.Empty(await Tombstones(files));
        TakenTurn turn = await next.Turn("Go on.", "stays");
        Assert.True(turn.Usage.Cached.Disk > 64, $"{turn.Usage.Cached}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhileATierThrowsOrIsAwayTheReceiptSaysSoAndLaterItsBlocksGo(bool throws)
    {
        using var folder = new TemporaryFolder();
        using var places = new TierPlaces(ramBlocks: 8);
        var files = new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        await using var host = new ConversationHost(model, files, options: NothingHeld, places: places);
        HashSet<BlockHash> own = await TwoConversationsOnDisk(host, places);
        places.Disk.IsAway = !throws;
        places.Disk.BeforeRemoval = () => throws ? throw new InvalidOperationException("The tier broke.") : Task.CompletedTask;

        DeleteReceipt receipt = await host.Conversations.DeleteAsync(ConversationHost.Key("gone"));

        Assert.False(receipt.IsWhole);
        Assert.Equal(throws ? ErasureOutcome.Failed : ErasureOutcome.Pending, receipt.Tiers.Single(tier => tier.Tier == "disk").Outcome);
        Assert.Equal(ErasureOutcome.Removed, receipt.Tiers.Single(tier => tier.Tier == "hot").Outcome);
        Assert.NotEmpty(places.OnDisk().Intersect(own));
        Assert.Single(await Tombstones(files));
        Assert.False((await host.Conversations.DeleteAsync(ConversationHost.Key("gone"))).IsWhole);

        places.Disk.IsAway = false;
        places.Disk.BeforeRemoval = null;
        DeleteReceipt again = await host.Conversations.DeleteAsync(ConversationHost.Key("gone"));

        Assert.True(again.IsWhole);
        Assert.Equal(3, again.Attempts);
        Assert.True(again.Tiers.Single(tier => tier.Tier == "disk").Blocks > 0);
        Assert.Empty(places.OnDisk().Intersect(own));
        Assert.Empty(await Tombstones(files));
        await Assert.ThrowsAsync<ConversationNotFoundException>(() => host.Conversations.DeleteAsync(ConversationHost.Key("gone")));
    }

    [Fact]
    public async Task WhenTheTierIsBackNobodyHasToAskAgain()
    {
        using var places = new TierPlaces(ramBlocks: 8);
        await using var host = new ConversationHost(model, options: NothingHeld, places: places);
        HashSet<BlockHash> own = await TwoConversationsOnDisk(host, places);
        places.Disk.IsAway = true;
        Assert.False((await host.Conversations.DeleteAsync(ConversationHost.Key("gone"))).IsWhole);
        int asked = places.Disk.Removals;
        host.Time.Advance(TimeSpan.FromMinutes(10));
        await host.Services.Erasures.IdleAsync();
        Assert.Equal(asked, places.Disk.Removals);

        places.Disk.IsAway = false;
        await host.UntilNothingIsOwed();

        Assert.Empty(places.OnDisk().Intersect(own));
    }

    [Fact]
    public async Task ATierThatHangsDelaysADeletionNoLongerThanItIsGiven()
    {
        using var places = new TierPlaces(ramBlocks: 8);
        await using var host = new ConversationHost(model, options: NothingHeld, places: places);
        HashSet<BlockHash> own = await TwoConversationsOnDisk(host, places);
        var hanging = new TaskCompletionSource();
        places.Disk.BeforeRemoval = () => hanging.Task;

        Task<DeleteReceipt> deletion = host.Conversations.DeleteAsync(ConversationHost.Key("gone"));
        await host.WhileTimePasses(deletion);

        Assert.Equal(ErasureOutcome.Pending, (await deletion).Tiers.Single(tier => tier.Tier == "disk").Outcome);
        hanging.SetResult();
        places.Disk.BeforeRemoval = null;
        await host.UntilNothingIsOwed();
        Assert.Empty(places.OnDisk().Intersect(own));
    }

    /// <summary>A fault of one conversation's background work is that one's affair.</summary>
    [Fact]
    public async Task ABackgroundFaultOfOneConversationDoesNotFailTheDeletionOfAnother()
    {
        using var places = new TierPlaces(ramBlocks: 8);
        await using var host = new ConversationHost(model, options: NothingHeld, places: places);
        await host.Create("faulty");
        await host.Create("other");
        await host.Turn("Hello.", "other");
        places.Disk.BeforeRemoval = () => throw new InvalidOperationException("The tier broke.");
        await host.Turn("Hello.", "faulty");
        Assert.Null(await host.Interrupt(host.Endless("Go on and on."), () => Task.FromResult(false), "faulty"));
        host.Model.Go();
        while (places.Disk.Removals == 0)
            await Task.Delay(10);
        places.Disk.BeforeRemoval = null;

        Assert.True((await host.Conversations.DeleteAsync(ConversationHost.Key("other"))).IsWhole);
        Assert.True((await host.Conversations.DeleteAsync(ConversationHost.Key("faulty"))).IsWhole);
        await host.UntilNothingIsOwed();
    }

    /// <summary>The other writer's turn stands, and its blocks do.</summary>
    [Fact]
    public async Task ATombstoneOfADeletionThatLostAgainstAnotherWriterErasesNothing()
    {
        using var folder = new TemporaryFolder();
        using var places = new TierPlaces(ramBlocks: 8);
        var files = new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        HashSet<BlockHash> own;
        await using (var host = new ConversationHost(model, files, options: NothingHeld, places: places))
        {
            own = await TwoConversationsOnDisk(host, places);
            ConversationState state = (await files.ReadAsync(ConversationHost.Key("gone")))!;
            await files.Tombstones.WriteAsync(new()
            {
                Id = Guid.NewGuid(),
                Key = state.Key,
                Version = state.Version with { Number = state.Version.Number - 1 },
                Owner = "",
                Root = host.Services.RootFor(ConversationHost.Tenant),
                Paths = [state.Log.Tokens],
                DeletedAt = host.Time.GetUtcNow(),
            });
        }

        BlockHash[] before = [.. places.OnDisk().Intersect(own).Order()];
        await using var next = new ConversationHost(model, files, options: NothingHeld, places: places);
        await next.Services.Erasures.IdleAsync();

        Assert.Empty(await Tombstones(files));
        Assert.NotNull(await files.ReadAsync(ConversationHost.Key("gone")));
        Assert.Equal(before, places.OnDisk().Intersect(own).Order());
    }

    [Fact]
    public async Task AnothersTombstoneStaysForItAndWhatIsReachedGoes()
    {
        using var folder = new TemporaryFolder();
        using var places = new TierPlaces(ramBlocks: 8);
        var files = new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        HashSet<BlockHash> own;
        await using (var host = new ConversationHost(model, files, options: NothingHeld, places: places))
        {
            own = await TwoConversationsOnDisk(host, places);
            ConversationState state = (await files.ReadAsync(ConversationHost.Key("gone")))!;
            await files.Tombstones.WriteAsync(new()
            {
                Id = Guid.NewGuid(),
                Key = state.Key,
                Version = state.Version,
                Owner = "another",
                Root = host.Services.RootFor(ConversationHost.Tenant),
                Paths = [state.Log.Tokens],
                DeletedAt = host.Time.GetUtcNow(),
            });
            Assert.True(await files.TryDeleteAsync(state.Key, state.Version));
        }

        await using var next = new ConversationHost(model, files, options: NothingHeld, places: places);
        await next.Services.Erasures.IdleAsync();

        Assert.Single(await Tombstones(files));
        Assert.Empty(places.OnDisk().Intersect(own));
    }

    // Two with one system prompt, and nothing hot. Gives the blocks that only "gone" has.
    private async Task<HashSet<BlockHash>> TwoConversationsOnDisk(ConversationHost host, TierPlaces places)
    {
        string system = model.TextOf(64, "Be kind");
        await host.Create("gone", system);
        await host.Create("stays", system);
        await host.Turn("This one is mine alone.", "gone");
        await host.Turn("And this one is another's.", "stays");
        await host.Tiers!.FlushAsync(CancellationToken.None);
        BlockHash root = host.Services.RootFor(ConversationHost.Tenant);
        int blockSize = host.Cache.Shape.BlockSize;
        HashSet<BlockHash> own = TierPlaces.Path(root, await host.Log("gone"), blockSize);
        own.ExceptWith(TierPlaces.NeededPath(root, await host.Log("stays"), blockSize));
        Assert.NotEmpty(places.OnDisk().Intersect(own));
        return own;
    }

    private static async Task<List<Tombstone>> Tombstones(IConversationStore store)
    {
        List<Tombstone> found = [];
        await foreach (Tombstone tombstone in store.Tombstones.ReadAllAsync())
            found.Add(tombstone);
        return found;
    }
}
