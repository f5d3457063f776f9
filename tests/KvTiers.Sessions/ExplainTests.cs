using KvTiers.Conversations;

namespace KvTiers.Sessions.Tests;

public sealed class ExplainTests(TinyModel model)
{
    [Fact]
    public async Task AFirstTurnAndAContinuationAreToldApart()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("My cat is called Tom.");
        Explanation first = await host.Conversations.ExplainAsync(ConversationHost.Key());
        Assert.Equal((ExplanationReason.FirstTurn, 2L, 0, 0), (first.Reason, first.Version, first.CachedTokens, first.CostTokens));
        await host.Turn("How old is it?");
        Explanation second = await host.Conversations.ExplainAsync(ConversationHost.Key());
        Assert.Equal((ExplanationReason.Appended, 0, null), (second.Reason, second.CostTokens, second.MessageIndex));
        Assert.Contains("only continued", second.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEditIsExplainedByMessageTokenAndCharacter()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("My cat is called Tom, and it is old.");
        int[] before = await host.Log();
        await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = "My cat is called Tim, and it is old.", DropLater = true });
        int differing = (await host.Log()).AsSpan().CommonPrefixLength(before);
        await host.Regenerate();
        Explanation explanation = await host.Conversations.ExplainAsync(ConversationHost.Key());
        Assert.Equal((ExplanationReason.Edited, 1, "user", differing, 18), (explanation.Reason, explanation.MessageIndex, explanation.Role, explanation.TokenOffset, explanation.CharacterOffset));
        Assert.Equal("My cat is called Tom, and it is old.", explanation.OldExcerpt);
        Assert.Equal("My cat is called Tim, and it is old.", explanation.NewExcerpt);
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(view.Messages[2].TokenStart - differing, explanation.CostTokens);
        Assert.True(explanation.CostSeconds > 0);
        Assert.Contains("Message 1 (user) differs from character 18 on", explanation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEditBackIsExplainedByWhatHadBeenComputedBefore()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("My cat is called Tom, and it is old.");
        foreach (string name in (string[])["Tim", "Tom"])
        {
            await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 1, Content = $"My cat is called {name}, and it is old.", DropLater = true });
            await host.Regenerate();
        }

        Explanation explanation = await host.Conversations.ExplainAsync(ConversationHost.Key());
        Assert.Equal((ExplanationReason.Edited, 1), (explanation.Reason, explanation.ComputedTokens));
        Assert.Contains(" and 1 was computed. ", explanation.Text, StringComparison.Ordinal);
        Assert.Contains($"; what was found beyond token {explanation.TokenOffset} had been computed for the same text before.", explanation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEvictionIsExplained()
    {
        await using var host = new ConversationHost(model, blocks: 40, options: new() { LeasedShare = 0 });
        await host.Create();
        await host.Turn("My cat is called Tom.");
        await host.Create("big", model.TextOf(580, "Big"));
        await host.Turn("Well?", "big");
        TakenTurn turn = await host.Turn("How old is it?");
        Explanation explanation = await host.Conversations.ExplainAsync(ConversationHost.Key());
        Assert.Equal(ExplanationReason.Evicted, explanation.Reason);
        Assert.True(explanation.CostTokens > 0);
        Assert.Equal(turn.Cached, explanation.CachedTokens);
    }

    [Fact]
    public async Task ARestartIsExplainedOnceAndSurvivesIt()
    {
        await using var first = new ConversationHost(model);
        await first.Create();
        TakenTurn one = await first.Turn("My cat is called Tom.");
        await using var second = new ConversationHost(model, first.Store);
        Assert.Equal(ExplanationReason.FirstTurn, (await second.Conversations.ExplainAsync(ConversationHost.Key())).Reason);
        await second.Turn("How old is it?");
        Explanation restarted = await second.Conversations.ExplainAsync(ConversationHost.Key());
        Assert.Equal((ExplanationReason.Restarted, 0, one.Usage.PromptTokens + one.Usage.CompletionTokens - 1), (restarted.Reason, restarted.CachedTokens, restarted.CostTokens));
        await second.Turn("And its colour?");
        Assert.Equal(ExplanationReason.Appended, (await second.Conversations.ExplainAsync(ConversationHost.Key())).Reason);
    }

    [Fact]
    public async Task ATurnWithoutTheCacheSaysSo()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("Hello", options: new() { UseCache = false });
        Assert.Equal(ExplanationReason.CacheOff, (await host.Conversations.ExplainAsync(ConversationHost.Key())).Reason);
    }

    [Fact]
    public async Task ARegenerationSaysThatTheAnswerIsGone()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("Hello");
        await host.Regenerate();
        Explanation explanation = await host.Conversations.ExplainAsync(ConversationHost.Key());
        Assert.Equal((ExplanationReason.Edited, 2, "assistant", 0), (explanation.Reason, explanation.MessageIndex, explanation.Role, explanation.CostTokens));
        Assert.Contains("is gone", explanation.Text, StringComparison.Ordinal);
    }
}
