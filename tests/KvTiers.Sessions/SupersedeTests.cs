using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Prefix;
using KvTiers.Sessions.Hosting;

namespace KvTiers.Sessions.Tests;

/// <summary>What a turn cuts off stays where it is until the turn is stored, and no tier is asked for it before the first token.</summary>
public sealed class SupersedeTests(TinyModel model)
{
    private static readonly LocalConversationsOptions NothingHeld = new() { LeasedShare = 0 };
    private static readonly GenerationOptions Anew = new() { Temperature = 1, Seed = 7, MaxTokens = 40 };

    [Fact]
    public async Task ARefusedTurnLeavesEveryCopyWhereItWas()
    {
        using var places = new TierPlaces(ramBlocks: 40);
        await using var host = new ConversationHost(model, options: NothingHeld, places: places, engine: new() { MaxRunning = 1, MaxWaiting = 1 });
        (HashSet<BlockHash> ram, HashSet<BlockHash> disk, _) = await TalkedInAllTiers(host, places);
        host.Model.StopAfter(0);
        List<Generation> others = [host.Engine.Submit(new() { Prompt = new[] { 5, 6, 7 }, MaxNewTokens = 1 })];
        while (host.Engine.Snapshot() is not { Running: 1, Waiting: 0 })
            await Task.Delay(5);
        EngineBusyException? busy = null;
        while (busy is null)
        {
            try
            {
                others.Add(host.Engine.Submit(new() { Prompt = new[] { 5, 6, 7 }, MaxNewTokens = 1 }));
            }
            catch (EngineBusyException exception)
            {
                busy = exception;
            }
        }

        await Assert.ThrowsAsync<EngineBusyException>(() => host.Regenerate());
        await Assert.ThrowsAsync<EngineBusyException>(() => host.History([new("user", "All is otherwise.")]));
        host.Model.Go();
        await Task.WhenAll(others.Select(other => other.Completion));

        Assert.Equal(0, host.Cache.Snapshot().SupersededBlocks);
        Assert.Equal(0, places.Disk.Removals);
        Assert.Equal(ram, places.InRam());
        Assert.Equal(disk, places.OnDisk());
    }

    [Fact]
    public async Task ACancelledRegenerationLeavesEveryCopyWhereItWas()
    {
        using var places = new TierPlaces(ramBlocks: 40);
        await using var host = new ConversationHost(model, options: NothingHeld, places: places);
        (HashSet<BlockHash> ram, HashSet<BlockHash> disk, TakenTurn last) = await TalkedInAllTiers(host, places);
        int[] log = await host.Log();

        int events = 0;
        host.Model.StopAfter(3);
        await foreach (TurnEvent _ in host.Conversations.RegenerateAsync(ConversationHost.Key(), host.Endless("").Options))
        {
            if (++events < 3)
                continue;
            host.Model.GoSlowly();
            break;
        }

        host.Model.Go();

        await host.Services.Erasures.IdleAsync();
        Assert.Equal(0, host.Cache.Snapshot().SupersededBlocks);
        BlockHash root = host.Services.RootFor(ConversationHost.Tenant);
        HashSet<BlockHash> needed = TierPlaces.NeededPath(root, log, host.Cache.Shape.BlockSize);
        Assert.Equal(disk.Intersect(needed).Order(), places.OnDisk().Intersect(needed).Order());

        // What was in RAM is there, or was loaded into the hot tier.
        int hot = host.Cache.Peek(root, log).BlockCount;
        Assert.True(ram.Intersect(needed).Except(places.InRam()).Count() <= hot);
        TakenTurn next = await host.Turn("Go on.");
        Assert.Equal(last.Usage.PromptTokens + last.Usage.CompletionTokens - 1, next.Cached);
    }

    [Fact]
    public async Task NoTierIsAskedToForgetBeforeTheFirstTokenAndEachIsAfterTheTurnIsStored()
    {
        using var places = new TierPlaces(ramBlocks: 40);
        await using var host = new ConversationHost(model, options: NothingHeld, places: places);
        await TalkedInAllTiers(host, places);
        int[] former = await host.Log();
        var hanging = new TaskCompletionSource();
        places.Disk.BeforeRemoval = () => hanging.Task;

        // It would not get there, and not to its end, if it waited for the tier.
        TakenTurn turn = await host.Regenerate(options: Anew);

        Assert.True(turn.Started.Edit!.TokensInvalidated > 0);
        Assert.NotEqual(former, await host.Log());
        while (places.Disk.Removals == 0)
            await Task.Delay(10);
        hanging.SetResult();
        await host.Services.Erasures.IdleAsync();
        BlockHash root = host.Services.RootFor(ConversationHost.Tenant);
        int blockSize = host.Cache.Shape.BlockSize;
        HashSet<BlockHash> cut = TierPlaces.Path(root, former, blockSize);
        cut.ExceptWith(TierPlaces.Path(root, await host.Log(), blockSize));
        Assert.Empty(places.InRam().Intersect(cut));
        Assert.Empty(places.OnDisk().Intersect(cut));
    }

    [Fact]
    public async Task AfterARegenerationTheConversationHoldsItsNewBlocksAndNotTheFormer()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("Tell me something long.", options: new() { MaxTokens = 60 });
        int[] former = await host.Log();
        TakenTurn turn = await host.Regenerate(options: Anew with { MaxTokens = 60 });
        int blockSize = host.Cache.Shape.BlockSize;
        int computed = turn.Usage.PromptTokens + turn.Usage.CompletionTokens - 1;

        Assert.Equal((computed + blockSize - 1) / blockSize, host.Conversations.Snapshot().IdleLeasedBlocks);
        int[] next = await host.Log();
        int common = former.AsSpan().CommonPrefixLength(next);
        Assert.True(host.Cache.Snapshot().SupersededBlocks >= (former.Length / blockSize) - (common / blockSize) - 1);
        Assert.True(host.Cache.Snapshot().SupersededBlocks > 0);
    }

    [Fact]
    public async Task AnEditIsMadeThoughATierThrows()
    {
        using var places = new TierPlaces(ramBlocks: 40);
        await using var host = new ConversationHost(model, options: NothingHeld, places: places);
        await TalkedInAllTiers(host, places);
        places.Disk.BeforeRemoval = () => throw new InvalidOperationException("The tier broke.");

        EditReceipt receipt = await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "All is otherwise now.", DropLater = true });

        Assert.Equal((await host.Conversations.GetAsync(ConversationHost.Key())).Version, receipt.Version);
        Assert.True(receipt.TokensInvalidated > 0);
    }

    // A conversation whose blocks are in RAM and on disk, and which holds none.
    private async Task<(HashSet<BlockHash> Ram, HashSet<BlockHash> Disk, TakenTurn Last)> TalkedInAllTiers(ConversationHost host, TierPlaces places)
    {
        await host.Create("c", model.TextOf(64, "Be kind"));
        await host.Turn("Tell me something long.", options: new() { MaxTokens = 40 });
        await host.Tiers!.FlushAsync(CancellationToken.None);
        TakenTurn last = await host.Turn("And more of it.", options: new() { MaxTokens = 40 });
        HashSet<BlockHash> disk = places.OnDisk();
        Assert.NotEmpty(disk);
        return (places.InRam(), disk, last);
    }
}
