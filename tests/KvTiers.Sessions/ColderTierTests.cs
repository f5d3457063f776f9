using System.Globalization;
using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Hosting;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests;

/// <summary>What edits and deletions leave in the tiers below, each searched from end to end.</summary>
public sealed class ColderTierTests(TinyModel model, ITestOutputHelper output) : IDisposable
{
    private const int Talks = 12;

    // Idle conversations hold no block, so that whatever is not needed now goes down.
    private static readonly LocalConversationsOptions NothingHeld = new() { LeasedShare = 0 };

    private readonly RedisServer _redis = new();

    public void Dispose() => _redis.Dispose();

    /// <summary>The number of edits is <c>KVTIERS_TEST_EDITS</c>.</summary>
    [Fact]
    public async Task AfterManyEditsNoColderTierHoldsASupersededBlock()
    {
        int edits = Environment.GetEnvironmentVariable("KVTIERS_TEST_EDITS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 1000;
        using var places = new TierPlaces(ramBlocks: 16, _redis);
        await using var host = new ConversationHost(model, blocks: 32, options: NothingHeld, places: places);
        var random = new Random(7);
        var paths = new List<int[]>();
        string system = model.TextOf(40, "Be kind");
        for (int i = 0; i < Talks; i++)
        {
            await host.Create($"c{i}", system);
            await host.Turn(model.TextOf(80, $"Number {i} begins"), $"c{i}");
            await host.Turn("And goes on.", $"c{i}");
        }

        for (int edit = 0; edit < edits; edit++)
        {
            string id = $"c{random.Next(Talks)}";
            paths.Add(await host.Log(id));
            await EditAsync(host, id, random, $"Edit {edit} says this.");
            paths.Add(await host.Log(id));
            if ((await host.Log(id)).Length > 260)
                await host.Conversations.TruncateAsync(ConversationHost.Key(id), 3);
        }

        await host.Conversations.DisposeAsync();
        await host.Tiers!.DrainAsync(CancellationToken.None);
        BlockHash root = host.Services.RootFor(ConversationHost.Tenant);
        int blockSize = host.Cache.Shape.BlockSize;
        HashSet<BlockHash> superseded = [.. paths.SelectMany(path => TierPlaces.Path(root, path, blockSize))];
        for (int i = 0; i < Talks; i++)
            superseded.ExceptWith(TierPlaces.Path(root, await host.Log($"c{i}"), blockSize));

        HashSet<BlockHash> ram = places.InRam(), disk = places.OnDisk();
        Dictionary<string, TimeSpan> redis = await places.InRedisAsync();
        output.WriteLine($"{edits} edits: {superseded.Count} superseded; held: {ram.Count} in ram, {disk.Count} on disk, {redis.Count} in redis");
        Assert.True(superseded.Count > edits && ram.Count + disk.Count > 0, "Nothing was superseded, or nothing went down.");
        Assert.Empty(ram.Intersect(superseded));
        Assert.Empty(disk.Intersect(superseded));
        HashSet<string> names = [.. superseded.Select(hash => hash.ToString())];
        Assert.All(
            redis.Where(key => names.Contains(key.Key)),
            key => Assert.True(key.Value <= TimeSpan.FromMinutes(1), $"{key.Key} lives for {key.Value}"));
        if (RedisServer.IsAvailable)
            Assert.Contains(redis, key => key.Value > TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task AnUndoBeforeTheRoomIsNeededComputesNothingAgain()
    {
        using var places = new TierPlaces(ramBlocks: 40, _redis);
        await using var host = new ConversationHost(model, places: places);
        await host.Create("edited");
        await host.Create("plain");
        foreach (string id in (string[])["edited", "plain"])
        {
            await host.Turn($"We are {id}, and this is some text.", id);
            await host.Turn("More of it.", id);
        }

        await host.Conversations.EditAsync(ConversationHost.Key("edited"), new() { Index = 1, Content = "All of it is otherwise now.", DropLater = true });
        await host.Regenerate("edited");
        await host.Conversations.UndoAsync(ConversationHost.Key("edited"));
        await host.Conversations.UndoAsync(ConversationHost.Key("edited"));
        int computed = (await host.Turn("What was it about?", "edited")).Usage.ComputedTokens;
        Assert.Equal((await host.Turn("What was it about?", "plain")).Usage.ComputedTokens, computed);
    }

    [Fact]
    public async Task ADeletionLeavesNothingOfItsOwnAnywhereSaysSoAndSparesWhatAnIdleOneShares()
    {
        using var places = new TierPlaces(ramBlocks: 24, _redis);
        await using var host = new ConversationHost(model, blocks: 48, options: NothingHeld, places: places);
        string system = model.TextOf(64, "Be kind");
        await host.Create("gone", system);
        await host.Turn("We share this turn, and its answer.", "gone");
        await host.Conversations.ForkAsync(ConversationHost.Key("gone"), new() { Id = "stays" });
        TakenTurn last = await host.Turn("This turn is the fork's.", "stays");
        await host.Turn("This one is mine alone.", "gone");
        await PushDownAsync(host);

        BlockHash root = host.Services.RootFor(ConversationHost.Tenant);
        int blockSize = host.Cache.Shape.BlockSize;
        HashSet<BlockHash> gone = TierPlaces.Path(root, await host.Log("gone"), blockSize), stays = TierPlaces.NeededPath(root, await host.Log("stays"), blockSize);
        HashSet<BlockHash> own = [.. gone.Except(stays)], shared = [.. gone.Intersect(stays)];
        (int Ram, int Disk, int Redis) before = await CountAsync(places, own), sharedBefore = await CountAsync(places, shared);
        Assert.True(before.Ram + before.Disk > 0 && sharedBefore.Ram + sharedBefore.Disk > 0);

        DeleteReceipt receipt = await host.Conversations.DeleteAsync(ConversationHost.Key("gone"));
        Assert.Equal((0, 0, 0), await CountAsync(places, own));
        Assert.Equal(sharedBefore, await CountAsync(places, shared));
        Dictionary<string, int> said = receipt.Tiers.ToDictionary(tier => tier.Tier, tier => tier.Blocks);
        Assert.Equal(before, (said["ram"], said["disk"], said.GetValueOrDefault("redis")));

        TakenTurn next = await host.Turn("Go on.", "stays");
        Assert.Equal(last.Usage.PromptTokens + last.Usage.CompletionTokens - 1, next.Cached);
    }

    [Fact]
    public async Task AnEditSparesWhatAnIdleConversationShares()
    {
        using var places = new TierPlaces(ramBlocks: 24, _redis);
        await using var host = new ConversationHost(model, blocks: 48, options: NothingHeld, places: places);
        await host.Create("edited", model.TextOf(64, "Be kind"));
        await host.Turn("We share this turn, and its answer.", "edited");
        TakenTurn last = await host.Turn("And this one.", "edited");
        await host.Conversations.ForkAsync(ConversationHost.Key("edited"), new() { Id = "stays" });
        await PushDownAsync(host);
        EditReceipt receipt = await host.Conversations.EditAsync(ConversationHost.Key("edited"), new() { Index = 1, Content = "All is otherwise now.", DropLater = true });
        Assert.True(receipt.BlocksShared > 0);
        TakenTurn next = await host.Turn("Go on.", "stays");
        Assert.Equal(last.Usage.PromptTokens + last.Usage.CompletionTokens - 1, next.Cached);
    }

    /// <summary>Of a conversation that this process has never used it knows from the store.</summary>
    [Fact]
    public async Task ADeletionAfterARestartSparesWhatIsOnlyStored()
    {
        using var folder = new TemporaryFolder();
        var store = new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        using var places = new TierPlaces(ramBlocks: 24, _redis);
        TakenTurn last;
        await using (var host = new ConversationHost(model, store, blocks: 48, options: NothingHeld, places: places))
        {
            await host.Create("gone", model.TextOf(64, "Be kind"));
            last = await host.Turn("We share this turn, and its answer.", "gone");
            await host.Conversations.ForkAsync(ConversationHost.Key("gone"), new() { Id = "stays" });
            await PushDownAsync(host);
            await host.Tiers!.FlushAsync(CancellationToken.None);
        }

        await using var again = new ConversationHost(model, store, blocks: 48, options: NothingHeld, places: places);
        await again.Conversations.DeleteAsync(ConversationHost.Key("gone"));
        TakenTurn next = await again.Turn("Go on.", "stays");
        Assert.True(next.Usage.Cached.Disk > 64, $"{next.Usage.Cached} of {last.Usage.PromptTokens}");
        Assert.Equal(last.Usage.PromptTokens + last.Usage.CompletionTokens - 1, next.Cached);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ADeletionLeavesNothingOfATurnThatWasCutOff(bool byAStopString)
    {
        using var places = new TierPlaces(ramBlocks: 24, _redis);
        await using var host = new ConversationHost(model, blocks: 48, options: NothingHeld, places: places);
        await host.Create("gone");
        if (byAStopString)
        {
            string whole = (await host.Turn("Tell me a story.", "gone", new() { MaxTokens = 40 })).Text;
            string stop = whole[(whole.Length / 2)..((whole.Length / 2) + 2)];
            Assert.Equal("stop", (await host.Regenerate("gone", new() { MaxTokens = 40, Stop = [stop] })).Completed.FinishReason);
        }
        else
        {
            await host.Turn("My cat is called Tom.", "gone");
            Assert.Null(await host.Interrupt(host.Endless("Go on and on."), () => Task.FromResult(false), "gone"));
            host.Model.Go();
        }

        await PushDownAsync(host);
        await host.Conversations.DeleteAsync(ConversationHost.Key("gone"));
        for (int i = 0; i < Fillers; i++)
            await host.Conversations.DeleteAsync(ConversationHost.Key($"filler{i}"));
        await host.Tiers!.DrainAsync(CancellationToken.None);
        Assert.Equal((0, 0, 0, 0), (host.UsedBlocks, places.InRam().Count, places.OnDisk().Count, (await places.InRedisAsync()).Count));
    }

    private const int Fillers = 6;

    private static async Task EditAsync(ConversationHost host, string id, Random random, string text)
    {
        ConversationKey key = ConversationHost.Key(id);
        ConversationView view = await host.Conversations.GetAsync(key);
        int[] asked = [.. view.Messages.Where(message => message.Role == "user").Select(message => message.Index)];
        switch (random.Next(10))
        {
            case < 5 when asked.Length > 0:
                await host.Conversations.EditAsync(key, new() { Index = asked[random.Next(asked.Length)], Content = text, DropLater = true });
                await host.Regenerate(id);
                break;
            case < 6 when asked.Length > 0:
                await host.Conversations.EditAsync(key, new() { Index = asked[random.Next(asked.Length)], Content = text });
                break;
            case < 8 when view.UndoDepth > 0:
                await host.Conversations.UndoAsync(key);
                break;
            case < 9 when view.Messages.Count > 3:
                await host.Conversations.TruncateAsync(key, 3);
                await host.Turn(text, id);
                break;
            default:
                await host.Turn(text, id);
                await host.Regenerate(id, new() { Temperature = 1, Seed = random.Next() });
                break;
        }
    }

    /// <summary>Other conversations take all of the hot tier.</summary>
    private async Task PushDownAsync(ConversationHost host)
    {
        for (int i = 0; i < Fillers; i++)
        {
            await host.Create($"filler{i}", $"{i}");
            await host.Turn(model.TextOf(250, $"Filler {i}"), $"filler{i}");
        }

        await host.Tiers!.DrainAsync(CancellationToken.None);
    }

    private static async Task<(int Ram, int Disk, int Redis)> CountAsync(TierPlaces places, HashSet<BlockHash> of)
    {
        HashSet<string> names = [.. of.Select(hash => hash.ToString())];
        return (places.InRam().Count(of.Contains), places.OnDisk().Count(of.Contains), (await places.InRedisAsync()).Keys.Count(names.Contains));
    }
}
