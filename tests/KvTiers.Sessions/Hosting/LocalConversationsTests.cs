using KvTiers.Conversations;
using KvTiers.Diagnostics;
using KvTiers.Sessions.Hosting;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests.Hosting;

public sealed class LocalConversationsTests(TinyModel model)
{
    [Fact]
    public async Task ARestartContinuesWithTheSameTokens()
    {
        await using var steady = new ConversationHost(model);
        await steady.Create();
        TakenTurn[] expected = [await steady.Turn("My cat is called Tom."), await steady.Turn("How old is it?"), await steady.Turn("Why?")];

        using var folder = new TemporaryFolder();
        for (int i = 0; i < 3; i++)
        {
            await using var process = new ConversationHost(model, new FileConversationStore(new() { Folder = folder.Path }));
            if (i == 0)
                await process.Create();
            TakenTurn turn = await process.Turn(i switch { 0 => "My cat is called Tom.", 1 => "How old is it?", _ => "Why?" });
            Assert.Equal(expected[i].Ids, turn.Ids);
            Assert.Equal((0, expected[i].Usage.PromptTokens), (turn.Cached, turn.Usage.PromptTokens));
            Assert.Equal(i == 2 ? await steady.Log() : (await steady.Log())[..(await process.Log()).Length], await process.Log());
        }
    }

    [Fact]
    public async Task FiftyConversationsSideBySideAnswerAsIfAlone()
    {
        await using var alone = new ConversationHost(model);
        await using var host = new ConversationHost(model, blocks: 200);
        async Task<int[][]> Talk(ConversationHost on, int i)
        {
            string id = $"c{i}";
            await on.Create(id, model.TextOf(50, "Be kind"));
            TakenTurn one = await on.Turn($"My number is {i * 37 % 50}.", id);
            TakenTurn two = await on.Turn("What is it?", id);
            return [one.Ids, two.Ids];
        }

        int[][][] together = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => Talk(host, i))));
        CacheIntegrity.Check(host.Cache);
        for (int i = 0; i < 50; i += 7)
            Assert.Equal(await Talk(alone, i), together[i]);
        Assert.Equal(50, (await host.Conversations.ListAsync(ConversationHost.Tenant)).Count);
    }

    [Fact]
    public async Task ASharedSystemPromptIsHeldOnce()
    {
        await using var host = new ConversationHost(model, blocks: 1024);
        string system = model.TextOf(400, "Be kind");
        int blockSize = host.Cache.Shape.BlockSize;
        for (int i = 0; i < 20; i++)
        {
            await host.Create($"c{i}", system);
            await host.Turn($"Number {i}?", $"c{i}", new() { MaxTokens = 4 });
        }

        int systemBlocks = (await host.Conversations.GetAsync(ConversationHost.Key("c0"))).Messages[0].TokenCount / blockSize;
        int ownBlocks = ((await host.Log("c19")).Length + blockSize - 1) / blockSize - systemBlocks + 1;
        Assert.InRange(host.UsedBlocks, systemBlocks, systemBlocks + 20 * ownBlocks);
        Assert.True(systemBlocks > 20, "the system prompt is too short to tell");
    }

    [Fact]
    public async Task TurnsOfOneConversationFollowOneAnother()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        TakenTurn[] turns = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => host.Turn($"Message {i}.")));
        Assert.Equal(Enumerable.Range(2, 8).Select(version => (long)version), turns.Select(turn => turn.Completed.Version).Order());
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(17, view.Messages.Count);
        Assert.All(turns, turn => Assert.Equal(turn.Text, view.Messages[turn.Completed.Message.Index].Content));
    }

    [Fact]
    public async Task ACallThatWaitsForItsTurnCanBeCancelled()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        using var cancel = new CancellationTokenSource();
        await host.Interrupt(host.Endless("Go on."), async () =>
        {
            Task<EditReceipt> waiting = host.Conversations.TruncateAsync(ConversationHost.Key(), 0, cancel.Token);
            Assert.False(waiting.IsCompleted);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            return false;
        });
        Assert.Equal(1, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);
    }

    [Fact]
    public async Task AnIdleConversationReleasesItsBlocksAndLeavesMemory()
    {
        await using var host = new ConversationHost(model, options: new() { IdleAfter = TimeSpan.FromMinutes(5) });
        await host.Create();
        TakenTurn one = await host.Turn("My cat is called Tom.");
        Assert.Equal((1, 1), (host.Conversations.Snapshot().Active, host.Cache.Snapshot().Leases));
        Assert.True(host.Conversations.Snapshot().IdleLeasedBlocks > 0);
        host.Time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.Equal(1, host.Conversations.Snapshot().Active);
        host.Time.Advance(TimeSpan.FromMinutes(0.2));
        Assert.Equal((0, 0), (host.Conversations.Snapshot().Active, host.Cache.Snapshot().Leases));
        Assert.Equal(0, host.Cache.Snapshot().HeldBlocks);
        CacheIntegrity.Check(host.Cache);
        TakenTurn two = await host.Turn("How old is it?");
        Assert.Equal(one.Usage.PromptTokens + one.Usage.CompletionTokens - 1, two.Cached);
    }

    [Fact]
    public async Task NoMoreThanTheMostConversationsStayInMemory()
    {
        await using var host = new ConversationHost(model, options: new() { MaxActive = 3 });
        for (int i = 0; i < 6; i++)
            await host.Create($"c{i}");
        Assert.Equal(3, host.Conversations.Snapshot().Active);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => host.Turn("Hello", $"c{i}")));
        Assert.Equal((3, 0), (host.Conversations.Snapshot().Active, host.Conversations.Snapshot().Busy));
        IReadOnlyList<ConversationSummary> listed = await host.Conversations.ListAsync(ConversationHost.Tenant);
        Assert.Equal((6, 3), (listed.Count, listed.Count(summary => summary.Active)));
        Assert.All(listed, summary => Assert.Equal((2L, "Hello"), (summary.Version, summary.Title)));
    }

    [Fact]
    public async Task BlocksHeldBetweenTurnsNeverStarveATurn()
    {
        await using var host = new ConversationHost(model, blocks: 48, options: new() { LeasedShare = 1 });
        for (int i = 0; i < 6; i++)
        {
            await host.Create($"c{i}", $"You are number {i}, and as kind as you are careful with people.");
            await host.Turn("Hello", $"c{i}");
        }

        await host.Create("big", model.TextOf(600, "Big"));
        Task<TakenTurn> big = host.Turn("Well?", "big");
        await host.WhileTimePasses(big);
        Assert.True((await big).Usage.PromptTokens > 30 * host.Cache.Shape.BlockSize);
    }

    /// <summary>Each needs room that only the other could give up, and both are waiting.</summary>
    [Fact]
    public async Task TurnsThatAllWaitForRoomHoldNoneFromEachOther()
    {
        string[] ids = ["a", "b"];
        await using var host = new ConversationHost(model, blocks: 40, options: new() { LeasedShare = 1 });
        foreach (string id in ids)
        {
            await host.Create(id);
            await host.Turn(model.TextOf(220, $"First of {id}"), id);
        }

        Assert.True(host.Cache.Snapshot().HeldBlocks > 30);
        await host.WhileTimePasses(Task.WhenAll(ids.Select(id => host.Turn(model.TextOf(200, $"Second of {id}"), id))));
    }

    [Fact]
    public async Task TheShareHeldBetweenTurnsIsBounded()
    {
        await using var host = new ConversationHost(model, blocks: 100, options: new() { LeasedShare = 0.2 });
        for (int i = 0; i < 8; i++)
        {
            await host.Create($"c{i}", $"You are number {i}, and as kind as you are careful.");
            await host.Turn("Hello", $"c{i}");
            Assert.InRange(host.Conversations.Snapshot().IdleLeasedBlocks, 1, 20);
        }
    }

    [Fact]
    public async Task PinnedBlocksOutlastOthersUntilTheirTimeIsOver()
    {
        await using var host = new ConversationHost(model, blocks: 60, options: new() { LeasedShare = 0, IdleAfter = TimeSpan.FromMinutes(1) });
        await host.Create();
        TakenTurn one = await host.Turn("My cat is called Tom.");
        PinReceipt pin = await host.Conversations.PinAsync(ConversationHost.Key(), TimeSpan.FromHours(1));
        Assert.Equal(host.Time.GetUtcNow().AddHours(1), pin.PinnedUntil);
        Assert.Equal((one.Usage.PromptTokens + one.Usage.CompletionTokens - 1, 3L), (pin.Tokens, pin.Version));
        host.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, host.Cache.Snapshot().Pins);
        async Task Crowd(string id)
        {
            await host.Create(id, model.TextOf(700, id));
            await host.Turn("Well?", id);
            await host.Conversations.DeleteAsync(ConversationHost.Key(id));
        }

        await Crowd("much");
        await Crowd("more");
        TakenTurn two = await host.Turn("How old is it?");
        Assert.Equal(pin.Tokens, two.Cached);
        Assert.Equal(pin.PinnedUntil, (await host.Conversations.GetAsync(ConversationHost.Key())).PinnedUntil);

        host.Time.Advance(TimeSpan.FromHours(2));
        Assert.Null((await host.Conversations.GetAsync(ConversationHost.Key())).PinnedUntil);
        Assert.Equal((0, 0), (host.Cache.Snapshot().Pins, host.Conversations.Snapshot().Active));
    }

    [Fact]
    public async Task AnUnpinAndThePinsShareAreKept()
    {
        await using var host = new ConversationHost(model, blocks: 100, pinnedShare: 0.04);
        await host.Create();
        await host.Turn("My cat is called Tom, and it likes to sleep on the sofa all day long.");
        PinReceipt pin = await host.Conversations.PinAsync(ConversationHost.Key(), ttl: null);
        Assert.Equal((4, 4 * host.Cache.Shape.BlockSize, DateTimeOffset.MaxValue), (pin.Blocks, pin.Tokens, pin.PinnedUntil));
        await host.Create("other", "Something else altogether, long enough for a block.");
        await host.Turn("Hello", "other");
        Assert.Equal(0, (await host.Conversations.PinAsync(ConversationHost.Key("other"), ttl: null)).Blocks);
        await host.Conversations.UnpinAsync(ConversationHost.Key());
        await host.Conversations.UnpinAsync(ConversationHost.Key());
        Assert.Equal(4, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);
        Assert.Equal(4, (await host.Conversations.PinAsync(ConversationHost.Key("other"), ttl: null)).Blocks);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => host.Conversations.PinAsync(ConversationHost.Key(), TimeSpan.Zero));
    }

    [Fact]
    public async Task WarmingComputesWhatIsMissingAndTheNextTurnOnlyWhatIsNew()
    {
        await using var before = new ConversationHost(model);
        await before.Create();
        TakenTurn one = await before.Turn("My cat is called Tom.");
        await using var host = new ConversationHost(model, before.Store);
        int tokens = (await host.Log()).Length;
        WarmReceipt warm = await host.Conversations.WarmAsync(ConversationHost.Key());
        Assert.Equal((tokens, 0, tokens), (warm.Tokens, warm.CachedTokens, warm.ComputedTokens));
        WarmReceipt again = await host.Conversations.WarmAsync(ConversationHost.Key());
        Assert.Equal((tokens - 1, 1), (again.CachedTokens, again.ComputedTokens));
        TakenTurn two = await host.Turn("How old is it?");
        Assert.Equal(tokens, two.Cached);
        Assert.True(two.Usage.PromptTokens > one.Usage.PromptTokens);
    }

    [Fact]
    public async Task TwoProcessesOnOneStoreTakeTurnsAndSeeEachOther()
    {
        await using var a = new ConversationHost(model);
        await using var b = new ConversationHost(model, a.Store);
        await using var alone = new ConversationHost(model);
        await a.Create();
        await alone.Create();
        string[] texts = ["My cat is called Tom.", "How old is it?", "Why?", "Since when?"];
        for (int i = 0; i < texts.Length; i++)
        {
            TakenTurn shared = await (i % 2 == 0 ? a : b).Turn(texts[i]);
            Assert.Equal((await alone.Turn(texts[i])).Ids, shared.Ids);
        }

        await b.Conversations.UndoAsync(ConversationHost.Key());
        await b.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "My dog is called Rex." });
        Assert.Equal("My dog is called Rex.", (await a.Conversations.GetAsync(ConversationHost.Key())).Messages[1].Content);
        TakenTurn next = await a.Turn("Is it?");
        Assert.Equal(8, next.Completed.Version);
        CacheIntegrity.Check(a.Cache);
    }

    [Fact]
    public async Task WhoeverLosesARaceIsToldAndNothingIsLost()
    {
        await using var a = new ConversationHost(model);
        await using var b = new ConversationHost(model, a.Store);
        await a.Create();
        await a.Turn("Hello");
        async Task<bool> After(Task interruption)
        {
            await interruption;
            return true;
        }

        await Assert.ThrowsAsync<ConversationConflictException>(() =>
            a.Interrupt(a.Endless("Go on.", 20), () => After(b.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "Hi" }))));
        ConversationView view = await a.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal((3L, "Hi", 3), (view.Version, view.Messages[1].Content, view.Messages.Count));

        TakenTurn? survived = await a.Interrupt(a.Endless("Go on.", 20), () => After(b.Conversations.PinAsync(ConversationHost.Key(), ttl: null)));
        Assert.Equal(5, survived!.Completed.Version);
        Assert.Equal(5, (await b.Conversations.GetAsync(ConversationHost.Key())).Messages.Count);
    }

    [Fact]
    public async Task EditsOfTwoProcessesWithoutAnExpectedVersionAllArrive()
    {
        await using var a = new ConversationHost(model);
        await using var b = new ConversationHost(model, a.Store);
        await a.Create();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? a : b).Conversations.EditAsync(ConversationHost.Key(), new() { Index = 0, Content = $"Version {i}" })));
        Assert.Equal(21, (await a.Conversations.GetAsync(ConversationHost.Key())).Version);
        await Assert.ThrowsAsync<ConversationConflictException>(() => a.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 0, Content = "x", ExpectedVersion = 20 }));
    }

    [Fact]
    public async Task ADamagedConversationSaysSoAndTheOthersWork()
    {
        await using var host = new ConversationHost(model);
        await host.Create("sick");
        await host.Create("well");
        await host.Turn("Hello", "sick");
        string path = ((FileConversationStore)host.Store).PathOf(ConversationHost.Key("sick"));
        byte[] bytes = await File.ReadAllBytesAsync(path);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
        await using var next = new ConversationHost(model, new FileConversationStore(new() { Folder = Path.GetDirectoryName(Path.GetDirectoryName(path))! }));
        Assert.Equal(path, (await Assert.ThrowsAsync<ConversationDamagedException>(() => next.Turn("Hello", "sick"))).Path);
        await Assert.ThrowsAsync<ConversationDamagedException>(() => next.Conversations.GetAsync(ConversationHost.Key("sick")));
        await next.Turn("Hello", "well");
        IReadOnlyList<ConversationSummary> listed = await next.Conversations.ListAsync(ConversationHost.Tenant);
        Assert.Equal([true, false], listed.OrderBy(summary => summary.Id).Select(summary => summary.Damage is not null));
    }

    [Fact]
    public async Task AStoreThatCannotWriteFailsTheTurnAndChangesNothing()
    {
        await using var stored = new ConversationHost(model);
        var store = new FailingStore(stored.Store);
        await using var host = new ConversationHost(model, store);
        await host.Create();
        await host.Turn("Hello");
        store.Fails = true;
        await Assert.ThrowsAsync<IOException>(() => host.Turn("Go on."));
        await Assert.ThrowsAsync<IOException>(() => host.Conversations.TruncateAsync(ConversationHost.Key(), 0));
        await Assert.ThrowsAsync<IOException>(() => host.History([new("user", "Else")]));
        store.Fails = false;
        Assert.Equal((2L, 3), ((await host.Conversations.GetAsync(ConversationHost.Key())).Version, (await host.Conversations.GetAsync(ConversationHost.Key())).Messages.Count));
        TakenTurn retry = await host.Turn("Go on.");
        Assert.Equal((3L, retry.Usage.PromptTokens - 1), (retry.Completed.Version, retry.Cached));
    }

    [Fact]
    public async Task TheHostCountsWhatItDoes()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Create("other");
        await Assert.ThrowsAsync<ConversationConflictException>(() => host.Create());
        LocalConversationsSnapshot snapshot = host.Conversations.Snapshot();
        Assert.Equal((2, 0, 2L, 1L), (snapshot.Active, snapshot.Busy, snapshot.Activations, snapshot.Conflicts));
    }

    [Fact]
    public async Task DisposingEndsRunningTurnsAndRefusesNewOnes()
    {
        var host = new ConversationHost(model);
        await host.Create();
        Task<ConversationView>? queued = null;
        Task? disposing = null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Interrupt(host.Endless("Go on."), () =>
        {
            queued = host.Conversations.CreateAsync(ConversationHost.Tenant, new() { Id = "c" });
            disposing = host.Conversations.DisposeAsync().AsTask();
            return Task.FromResult(true);
        }));
        await disposing!;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued!);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => host.Turn("Hello"));
        Assert.Equal(1, (await host.Store.ReadAsync(ConversationHost.Key()))!.Version.Number);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task ATurnRunsToItsEndWhetherOrNotItsStreamIsRead()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await using IAsyncEnumerator<TurnEvent> unread = host.Conversations
            .TurnAsync(ConversationHost.Key(), new() { Messages = [new("user", "Hello")] }).GetAsyncEnumerator();
        Assert.True(await unread.MoveNextAsync());
        Assert.Equal(3, (await host.Turn("Next.")).Completed.Version);
    }

    [Fact]
    public async Task TenantsShareNeitherConversationsNorBlocks()
    {
        await using var host = new ConversationHost(model);
        TurnRequest request = new() { Mode = TurnMode.History, Messages = [new("user", "A long enough text for several blocks, of which none may be shared.")] };
        TakenTurn mine = await TakenTurn.ReadAsync(host.Conversations.TurnAsync(new("mine", "c"), request));
        TakenTurn yours = await TakenTurn.ReadAsync(host.Conversations.TurnAsync(new("yours", "c"), request));
        Assert.Equal(mine.Ids, yours.Ids);
        Assert.Equal((0, 0), (mine.Cached, yours.Cached));
        Assert.Single(await host.Conversations.ListAsync("mine"));
    }

    [Fact]
    public void OptionsAreChecked()
    {
        var options = new LocalConversationsOptions { IdleAfter = TimeSpan.FromTicks(1), SweepEvery = TimeSpan.FromTicks(1), MaxActive = 1, LeasedShare = 1 };
        options.Validate();
        (options with { LeasedShare = 0 }).Validate();
        Assert.Equal("IdleAfter", Assert.Throws<ArgumentException>(() => (options with { IdleAfter = TimeSpan.Zero }).Validate()).ParamName);
        Assert.Equal("SweepEvery", Assert.Throws<ArgumentException>(() => (options with { SweepEvery = TimeSpan.Zero }).Validate()).ParamName);
        Assert.Equal("MaxActive", Assert.Throws<ArgumentException>(() => (options with { MaxActive = 0 }).Validate()).ParamName);
        Assert.Equal("LeasedShare", Assert.Throws<ArgumentException>(() => (options with { LeasedShare = 1.01 }).Validate()).ParamName);
        Assert.Equal("LeasedShare", Assert.Throws<ArgumentException>(() => (options with { LeasedShare = double.NaN }).Validate()).ParamName);
        Assert.Equal("PinnedShare", Assert.Throws<ArgumentException>(() => new ConversationOptions { ModelName = "m", PinnedShare = -0.01 }.Validate()).ParamName);
        Assert.Equal("ContextKeep", Assert.Throws<ArgumentException>(() => new ConversationOptions { ModelName = "m", ContextKeep = 0.09 }.Validate()).ParamName);
        Assert.Equal("ContextKeep", Assert.Throws<ArgumentException>(() => new ConversationOptions { ModelName = "m", ContextKeep = double.NaN }.Validate()).ParamName);
        Assert.Equal("SummaryTokens", Assert.Throws<ArgumentException>(() => new ConversationOptions { ModelName = "m", SummaryTokens = 15 }.Validate()).ParamName);
        Assert.Equal("SummaryTokens", Assert.Throws<ArgumentException>(() => new ConversationOptions { ModelName = "m", SummaryTokens = 4097 }.Validate()).ParamName);
        Assert.Equal("ContextPolicy", Assert.Throws<ArgumentException>(() => new ConversationOptions { ModelName = "m", ContextPolicy = (ContextPolicy)4 }.Validate()).ParamName);
        new ConversationOptions { ModelName = "m", ContextKeep = 0.1, SummaryTokens = 16 }.Validate();
        new ConversationOptions { ModelName = "m", ContextKeep = 0.9, SummaryTokens = 4096 }.Validate();
        Assert.Equal("ModelName", Assert.Throws<ArgumentException>(() => new ConversationOptions { ModelName = "" }.Validate()).ParamName);
    }
}
