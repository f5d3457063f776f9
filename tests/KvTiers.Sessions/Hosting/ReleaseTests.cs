namespace KvTiers.Sessions.Tests.Hosting;

/// <summary>Taking a conversation out of memory when its host is told to.</summary>
public sealed class ReleaseTests(TinyModel model)
{
    [Fact]
    public async Task AReleasedConversationGivesUpItsBlocksAndComesBackFromTheStore()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("Hello");
        Assert.True(host.Conversations.IsActive(ConversationHost.Key()));
        Assert.Equal(1, host.Cache.Snapshot().Leases);

        host.Conversations.Release(ConversationHost.Key());
        host.Conversations.Release(ConversationHost.Key("unknown"));
        Assert.False(host.Conversations.IsActive(ConversationHost.Key()));
        Assert.Equal(0, host.Cache.Snapshot().Leases);
        Assert.Equal(3, (await host.Turn("Again")).Completed.Version);
    }

    [Fact]
    public async Task ATurnUnderWayIsNotDisturbed()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        TakenTurn? turn = await host.Interrupt(host.Endless("Go on", maxTokens: 8), () =>
        {
            host.Conversations.Release(ConversationHost.Key());
            return Task.FromResult(true);
        });
        Assert.Equal(2, turn!.Completed.Version);
        Assert.True(host.Conversations.IsActive(ConversationHost.Key()));
    }

    [Fact]
    public async Task HowLongAPinLastsIsKnownWhileTheConversationIsInMemory()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("Hello");
        Assert.Null(host.Conversations.PinnedUntil(ConversationHost.Key()));
        await host.Conversations.PinAsync(ConversationHost.Key(), TimeSpan.FromMinutes(1));
        Assert.Equal(host.Time.GetUtcNow() + TimeSpan.FromMinutes(1), host.Conversations.PinnedUntil(ConversationHost.Key()));
        host.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(host.Conversations.PinnedUntil(ConversationHost.Key()));
        host.Conversations.Release(ConversationHost.Key());
        Assert.Equal(0, host.Cache.Snapshot().Pins);
    }
}
