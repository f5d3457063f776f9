using KvTiers.Conversations;
using KvTiers.Sessions.Hosting;
using KvTiers.Tests.Shared;

namespace KvTiers.Sessions.Tests.Hosting;

/// <summary>Blocks that come back from a colder tier before the conversation does.</summary>
public sealed class PreloadTests(TinyModel model)
{
    private const long RamBytes = 64 << 20;

    [Fact]
    public async Task AConversationThatIsDueIsHotBeforeItsNextTurn()
    {
        await using ConversationHost host = Open(TimeSpan.FromSeconds(10));
        int known = await TwoTurnsAMinuteApartAsync(host);
        Demote(host);
        host.Time.Advance(TimeSpan.FromSeconds(48));
        Assert.Equal(0, host.Conversations.Snapshot().Preloads);
        host.Time.Advance(TimeSpan.FromSeconds(4));
        await WaitForPreloadAsync(host);

        Assert.Equal(known, host.Conversations.Snapshot().PreloadedTokens);
        TakenTurn next = await host.Turn("And now?");
        Assert.Equal((0, known), (next.Completed.Usage.Cached.Ram, next.Completed.Usage.Cached.Hot));
    }

    [Fact]
    public async Task WithoutASettingNothingIsLoadedAheadOfTime()
    {
        await using ConversationHost host = Open(TimeSpan.Zero);
        await TwoTurnsAMinuteApartAsync(host);
        Demote(host);
        host.Time.Advance(TimeSpan.FromSeconds(120));
        Assert.Equal(0, host.Conversations.Snapshot().Preloads);
        Assert.Equal(0, host.Tiers!.Usage[0].Hits);
    }

    [Fact]
    public async Task WarmingLoadsFromTheTiers()
    {
        await using ConversationHost host = Open(TimeSpan.Zero);
        int known = await TwoTurnsAMinuteApartAsync(host);
        Demote(host);
        WarmReceipt warm = await host.Conversations.WarmAsync(ConversationHost.Key());
        Assert.InRange(warm.LoadedTokens, known - 16, known); // the last token is always computed
    }

    [Fact]
    public void WarmingAheadIsUpToTenMinutes()
    {
        new LocalConversationsOptions { WarmAhead = TimeSpan.FromMinutes(10) }.Validate();
        foreach (TimeSpan wrong in new[] { TimeSpan.FromMinutes(10) + TimeSpan.FromTicks(1), TimeSpan.FromTicks(-1) })
        {
            var error = Assert.Throws<ArgumentException>(() => new LocalConversationsOptions { WarmAhead = wrong }.Validate());
            Assert.Equal("WarmAhead", error.ParamName);
        }
    }

    // No share for idle conversations: their blocks are nobody's between turns.
    private ConversationHost Open(TimeSpan ahead) => new(model, options: new() { WarmAhead = ahead, LeasedShare = 0 }, ramBytes: RamBytes);

    /// <returns>Tokens known afterwards, whose K and V are in the cache.</returns>
    private async Task<int> TwoTurnsAMinuteApartAsync(ConversationHost host)
    {
        await host.Create();
        await host.Turn(model.TextOf(16 * 8, "A long question"));
        host.Time.Advance(TimeSpan.FromSeconds(60));
        await host.Turn("A short one");
        int[] log = await host.Log();
        return host.Cache.Peek(host.Services.RootFor(ConversationHost.Tenant), log).HotTokenCount;
    }

    // Another conversation needs all the room; then it is over, and the room is free.
    private static void Demote(ConversationHost host)
    {
        using (BlockLease all = host.Cache.AcquirePrivate())
            Assert.True(host.Cache.TryReserve(all, host.Cache.Pool.Capacity * host.Cache.Shape.BlockSize));
        Assert.Equal(0, host.UsedBlocks);
        Assert.True(host.Tiers!.Usage[0].Blocks > 8);
    }

    private static async Task WaitForPreloadAsync(ConversationHost host)
    {
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        while (host.Conversations.Snapshot().Preloads == 0)
            await Task.Delay(5, deadline.Token);
    }
}
