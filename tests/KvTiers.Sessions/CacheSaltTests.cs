using KvTiers.Conversations;
using KvTiers.Sessions.Changes;

namespace KvTiers.Sessions.Tests;

/// <summary>A conversation that begins under a cache salt shares blocks with nothing that is not under it, for all its life.</summary>
public sealed class CacheSaltTests(TinyModel model)
{
    private static readonly ChatMessage[] Said = [new("system", "A prompt of some length, so that it fills more than one block of the cache."), new("user", "Hello")];

    [Fact]
    public async Task ConversationsUnderTwoSaltsShareNothing()
    {
        await using var host = new ConversationHost(model);
        TakenTurn plain = await host.Take("plain", Begin(null));
        TakenTurn one = await host.Take("one", Begin("s1"));
        TakenTurn other = await host.Take("other", Begin("s2"));
        TakenTurn again = await host.Take("again", Begin("s1"));

        Assert.Equal((0, 0, 0), (plain.Cached, one.Cached, other.Cached));
        Assert.Equal(one.Usage.PromptTokens - 1, again.Cached);
        Assert.Equal(plain.Text, one.Text);
    }

    [Fact]
    public async Task ItStaysWithTheConversationOverTurnsForksAndProcesses()
    {
        await using var host = new ConversationHost(model);
        TakenTurn one = await host.Take("c", Begin("s1"));
        TakenTurn two = await host.Turn("And now?");
        await host.Conversations.ForkAsync(ConversationHost.Key(), new() { Id = "fork" });
        TakenTurn fork = await host.Turn("And then?", "fork");
        WarmReceipt warm = await host.Conversations.WarmAsync(ConversationHost.Key());
        ConversationState stored = (await host.Store.ReadAsync(ConversationHost.Key("fork")))!;
        await using var later = new ConversationHost(model, host.Store);
        TakenTurn unsalted = await later.Take("plain", Begin(null));
        TakenTurn three = await later.Turn("And again?");

        Assert.Equal(one.Usage.PromptTokens + one.Usage.CompletionTokens - 1, two.Cached);
        Assert.Equal(two.Usage.PromptTokens + two.Usage.CompletionTokens - 1, fork.Cached);
        Assert.Equal(warm.Tokens - 1, warm.CachedTokens);
        Assert.Equal("s1", stored.CacheSalt);
        Assert.Equal((0, 0), (unsalted.Cached, three.Cached));
    }

    [Fact]
    public async Task AnotherSaltIsRefusedAndTheSameIsTaken()
    {
        await using var host = new ConversationHost(model);
        await host.Take("c", Begin("s1"));
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(() => host.Take("c", Begin("s2")));
        TakenTurn same = await host.Take("c", Begin("s1"));
        await host.Take("plain", Begin(null));

        Assert.Equal("CacheSalt", refused.ParamName);
        Assert.True(same.Cached > 0);
        await Assert.ThrowsAsync<ArgumentException>(() => host.Take("plain", Begin("s1")));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Take("new", Begin("")));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Take("new", Begin(new string('s', 1025))));
    }

    [Fact]
    public async Task WhatIsDeletedGoesFromUnderItsSalt()
    {
        await using var host = new ConversationHost(model);
        int before = host.UsedBlocks;
        await host.Take("c", Begin("s1"));
        await host.Take("plain", Begin(null));
        DeleteReceipt receipt = await host.Conversations.DeleteAsync(ConversationHost.Key());
        TakenTurn again = await host.Take("again", Begin("s1"));
        TakenTurn plain = await host.Take("plain-again", Begin(null) with { Messages = Said });

        Assert.Equal(0, receipt.BlocksShared);
        Assert.Equal(0, again.Cached);
        Assert.True(plain.Cached > 0);
        Assert.True(host.UsedBlocks > before);
    }

    private static TurnRequest Begin(string? salt) => new() { Mode = TurnMode.History, Messages = Said, CacheSalt = salt };
}
