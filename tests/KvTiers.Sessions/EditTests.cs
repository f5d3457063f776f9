using KvTiers.Conversations;
using KvTiers.Sessions.Changes;

namespace KvTiers.Sessions.Tests;

public sealed class EditTests(TinyModel model)
{
    private static readonly GenerationOptions WithLogProbs = new() { MaxTokens = 20, TopLogProbs = 3 };

    [Fact]
    public async Task AnEditRecomputesFromTheFirstDifferingTokenAndEditingBackGivesTheSameBitsFromTheCache()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        TakenTurn first = await host.Turn("My cat is called Tom, and it is old.", options: WithLogProbs);
        int[] before = await host.Log();

        EditReceipt receipt = await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "My cat is called Tim, and it is old.", DropLater = true });
        int differing = (await host.Log()).AsSpan().CommonPrefixLength(before);
        Assert.Equal((3L, differing, before.Length - differing), (receipt.Version, receipt.TokensKept, receipt.TokensInvalidated));
        int blockSize = host.Cache.Shape.BlockSize;
        int blocksOfThePath = (first.Usage.PromptTokens + first.Usage.CompletionTokens - 1 + blockSize - 1) / blockSize;
        Assert.Equal((blocksOfThePath - differing / blockSize, 0), (receipt.BlocksReleased, receipt.BlocksShared));

        TakenTurn edited = await host.Regenerate(options: WithLogProbs);
        Assert.Equal(differing, edited.Cached);
        Assert.NotEqual(first.Ids, edited.Ids);

        await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "My cat is called Tom, and it is old.", DropLater = true });
        TakenTurn back = await host.Regenerate(options: WithLogProbs);
        Assert.Equal(back.Usage.PromptTokens - 1, back.Cached);
        Assert.Equal(first.Ids, back.Ids);
        Assert.Equal(first.Tokens.Select(token => token.LogProb!.LogProb), back.Tokens.Select(token => token.LogProb!.LogProb));
        Assert.Equal(before, await host.Log());
    }

    [Fact]
    public async Task LaterMessagesKeepTheirTokensWhenAnEarlierOneIsEdited()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("One.");
        await host.Turn("Two.");
        ConversationState before = (await host.Store.ReadAsync(ConversationHost.Key()))!;
        await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "Uno." });
        ConversationState after = (await host.Store.ReadAsync(ConversationHost.Key()))!;
        Assert.Equal("Uno.", after.Log.Messages[1].Content);
        Assert.Equal(before.Log.Messages.Length, after.Log.Messages.Length);
        Assert.All(Enumerable.Range(2, 3), i => Assert.Equal(before.Log.Messages[i].Tokens.AsEnumerable(), after.Log.Messages[i].Tokens));
    }

    [Fact]
    public async Task AnEditThatChangesNothingStoresNothing()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("One.");
        EditReceipt receipt = await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "One." });
        Assert.Equal((2L, 0, 0), (receipt.Version, receipt.TokensInvalidated, receipt.BlocksReleased));
        Assert.Equal(2, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);
    }

    [Fact]
    public async Task AnUndoRestoresTheExactLogAndRecomputesNothing()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("My cat is called Tom.");
        int[] one = await host.Log();
        TakenTurn two = await host.Turn("How old is it?");
        int[] both = await host.Log();

        EditReceipt undone = await host.Conversations.UndoAsync(ConversationHost.Key());
        Assert.Equal(one, await host.Log());
        Assert.Equal((4L, one.Length, both.Length - one.Length), (undone.Version, undone.TokensKept, undone.TokensInvalidated));
        TakenTurn again = await host.Turn("How old is it?");
        Assert.Equal((again.Usage.PromptTokens - 1, two.Text), (again.Cached, again.Text));

        await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "My dog is called Rex." });
        await host.Conversations.UndoAsync(ConversationHost.Key());
        Assert.Equal(both, await host.Log());
        TakenTurn three = await host.Turn("Is that so?");
        Assert.Equal(again.Usage.PromptTokens + again.Usage.CompletionTokens - 1, three.Cached);
    }

    [Fact]
    public async Task ATruncationAndARegenerationCanBeUndoneToo()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("One.");
        int[] one = await host.Log();
        await host.Conversations.TruncateAsync(ConversationHost.Key(), 1);
        Assert.Single((await host.Conversations.GetAsync(ConversationHost.Key())).Messages);
        await host.Conversations.UndoAsync(ConversationHost.Key());
        Assert.Equal(one, await host.Log());
        await host.Regenerate(options: new() { Temperature = 1, Seed = 5 });
        Assert.NotEqual(one, await host.Log());
        await host.Conversations.UndoAsync(ConversationHost.Key());
        Assert.Equal(one, await host.Log());
    }

    [Fact]
    public async Task NothingToUndoOrRegenerateIsAConflict()
    {
        await using var host = new ConversationHost(model);
        await host.Conversations.CreateAsync(ConversationHost.Tenant, new() { Id = "c" });
        await Assert.ThrowsAsync<ConversationConflictException>(() => host.Conversations.UndoAsync(ConversationHost.Key()));
        await Assert.ThrowsAsync<ConversationConflictException>(() => host.Regenerate());
        await Assert.ThrowsAsync<ConversationConflictException>(() => host.Conversations.ExplainAsync(ConversationHost.Key()));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task AnIndexOutsideTheConversationIsRefused(int index)
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        Assert.Contains("has 1 messages", (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = index, Content = "x" }))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => host.Conversations.TruncateAsync(ConversationHost.Key(), index));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => host.Conversations.ForkAsync(ConversationHost.Key(), new() { At = index == 1 ? 2 : index }));
        Assert.Equal(1, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);
    }

    [Fact]
    public async Task AForkSharesItsBlocksAndGoesItsOwnWay()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        TakenTurn one = await host.Turn("My cat is called Tom.");
        int used = host.UsedBlocks;
        ConversationView fork = await host.Conversations.ForkAsync(ConversationHost.Key(), new() { Id = "fork" });
        Assert.Equal(("fork", "c", 1L, 3), (fork.Id, fork.ForkedFrom, fork.Version, fork.Messages.Count));
        Assert.Equal(used, host.UsedBlocks);

        TakenTurn forked = await host.Turn("Rename it.", "fork");
        Assert.Equal(one.Usage.PromptTokens + one.Usage.CompletionTokens - 1, forked.Cached);
        TakenTurn original = await host.Turn("Praise it.");
        Assert.True(original.Cached >= forked.Cached);
        Assert.Equal(3, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);
        Assert.Equal(2, (await host.Conversations.GetAsync(ConversationHost.Key("fork"))).Version);

        ConversationView shorter = await host.Conversations.ForkAsync(ConversationHost.Key(), new() { At = 2 });
        Assert.Equal(2, shorter.Messages.Count);
        Assert.StartsWith("conv-", shorter.Id, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ConversationConflictException>(() => host.Conversations.ForkAsync(ConversationHost.Key(), new() { Id = "fork" }));
    }

    [Fact]
    public async Task AnEditReportsBlocksThatAForkStillHolds()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("My cat is called Tom, and this is a rather long message about it.");
        await host.Conversations.ForkAsync(ConversationHost.Key(), new() { Id = "fork" });
        EditReceipt receipt = await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 0, Content = "Be rude.", DropLater = true });
        Assert.Equal(0, receipt.BlocksReleased);
        Assert.True(receipt.BlocksShared > 3);
    }

    [Fact]
    public async Task ADeletionLeavesNoneOfTheConversationsBlocks()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("My cat is called Tom.");
        await host.Turn("How old is it?");
        await host.Conversations.UndoAsync(ConversationHost.Key());
        await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "My dog is called Rex.", DropLater = true });
        await host.Regenerate();
        Assert.Null(await host.Interrupt(host.Endless("Go on and on."), () => Task.FromResult(false)));

        int used = host.UsedBlocks;
        DeleteReceipt receipt = await host.Conversations.DeleteAsync(ConversationHost.Key());
        Assert.Equal(0, host.UsedBlocks);
        TierErasure hot = Assert.Single(receipt.Tiers);
        Assert.Equal(("hot", used, (long)used * host.Cache.Shape.BytesPerBlock), (hot.Tier, hot.Blocks, hot.Bytes));
        Assert.Equal(0, receipt.BlocksShared);
        await Assert.ThrowsAsync<ConversationNotFoundException>(() => host.Conversations.GetAsync(ConversationHost.Key()));
        await Assert.ThrowsAsync<ConversationNotFoundException>(() => host.Conversations.DeleteAsync(ConversationHost.Key()));
    }

    [Fact]
    public async Task ADeletionTakesWhatALeftTurnComputedAheadOfItsReader()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("My cat is called Tom.");
        int ahead = 3 * host.Cache.Shape.BlockSize;
        Assert.Null(await host.Interrupt(host.Endless("Go on and on."), async () =>
        {
            long generated = host.Engine.Snapshot().GeneratedTokens;
            host.Model.GoSlowly();
            while (host.Engine.Snapshot().GeneratedTokens < generated + ahead)
                await Task.Delay(5);
            return false;
        }));

        DeleteReceipt receipt = await host.Conversations.DeleteAsync(ConversationHost.Key());
        Assert.Equal((0, 0), (host.UsedBlocks, receipt.BlocksShared));
    }

    [Fact]
    public async Task ADeletionLeavesBlocksThatAnotherConversationUses()
    {
        await using var host = new ConversationHost(model);
        string system = model.TextOf(100, "Be kind");
        await host.Create("a", system);
        await host.Create("b", system);
        await host.Turn("One thing.", "a");
        await host.Turn("Another thing.", "b");
        DeleteReceipt receipt = await host.Conversations.DeleteAsync(ConversationHost.Key("a"));
        Assert.True(receipt.BlocksShared >= 100 / host.Cache.Shape.BlockSize);
        TakenTurn next = await host.Turn("Go on.", "b");
        Assert.Equal(ExplanationReason.Appended, (await host.Conversations.ExplainAsync(ConversationHost.Key("b"))).Reason);
        Assert.True(next.Cached > 100);
    }
}
