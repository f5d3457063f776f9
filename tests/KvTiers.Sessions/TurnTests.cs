using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Tests;

public sealed class TurnTests(TinyModel model)
{
    [Fact]
    public async Task TurnTwoFindsEveryTokenOfTurnOneButItsLast()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        TakenTurn one = await host.Turn("My cat is called Tom.");
        int[] logOne = await host.Log();
        TakenTurn two = await host.Turn("What is my cat called?");

        Assert.Equal(0, one.Cached);
        Assert.Equal(one.Usage.PromptTokens + one.Usage.CompletionTokens - 1, two.Cached);
        Assert.Equal(two.Usage.PromptTokens - two.Cached, two.Usage.ComputedTokens);
        Assert.Equal(0, two.Usage.InvalidatedTokens);
        Assert.Null(two.Started.Edit);
        Assert.Equal(logOne, (await host.Log())[..logOne.Length]);
    }

    [Fact]
    public async Task ThePromptOfTurnTwoBeginsWithThePromptAndTheGeneratedTokensOfTurnOne()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        int[] promptOne = model.Prompt.Encode([new("system", "You are a kind and careful assistant."), new("user", "Hello")], addGenerationPrompt: true).Ids;
        TakenTurn one = await host.Turn("Hello");
        TakenTurn two = await host.Turn("And now?");
        int[] log = await host.Log();
        Assert.Equal(promptOne, log[..promptOne.Length]);
        Assert.Equal(one.Ids, log[promptOne.Length..(promptOne.Length + one.Ids.Length)]);
        Assert.Equal(two.Started.PromptTokens, two.Completed.Message.TokenStart + model.Prompt.GenerationPromptIds.Count);
        Assert.Equal(model.Prompt.AnswerClosingIds, log[^model.Prompt.AnswerClosingIds.Count..]);
    }

    [Fact]
    public async Task EventsAndTheStoredAnswerAgree()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        TakenTurn turn = await host.Turn("Tell me a story.", options: new() { MaxTokens = 30, TopLogProbs = 2 });
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(turn.Text, view.Messages[^1].Content);
        Assert.Equal(turn.Completed.Message, view.Messages[^1]);
        Assert.Equal(("assistant", 2, 2L), (view.Messages[^1].Role, view.Messages[^1].Index, view.Version));
        Assert.Equal(turn.Tokens.Count, turn.Usage.CompletionTokens);
        Assert.All(turn.Tokens, token => Assert.Equal((token.TokenId, 2), (token.LogProb!.TokenId, token.LogProb.Top.Count)));
        Assert.All(turn.Tokens, token => Assert.True(token.LogProb!.LogProb <= token.LogProb.Top[0].LogProb));
        Assert.True(turn.Usage.TtftMs <= turn.Usage.TotalMs);
    }

    [Fact]
    public async Task ATurnIsOnTheStoreBeforeItsLastEvent()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await foreach (TurnEvent one in host.Conversations.TurnAsync(ConversationHost.Key(), new() { Messages = [new("user", "Hello")] }))
        {
            ConversationState stored = (await host.Store.ReadAsync(ConversationHost.Key()))!;
            if (one is TurnCompleted completed)
                Assert.Equal((completed.Version, completed.Message.Content), (stored.Version.Number, stored.Log.Messages[^1].Content));
        }
    }

    [Fact]
    public async Task AnAppendToAnUnknownConversationIsRefusedAndAHistoryBeginsOne()
    {
        await using var host = new ConversationHost(model);
        await Assert.ThrowsAsync<ConversationNotFoundException>(() => host.Turn("Hello"));
        Assert.Empty(await host.Conversations.ListAsync(ConversationHost.Tenant));
        TakenTurn turn = await host.History([new("system", "Be brief."), new("user", "Hello")]);
        Assert.Equal((1L, 2), (turn.Completed.Version, turn.Completed.Message.Index));
    }

    [Fact]
    public async Task AHistoryThatOnlyGrewIsTheSameAsAppending()
    {
        await using var host = new ConversationHost(model);
        List<ChatMessage> history = [new("user", "My cat is called Tom.")];
        TakenTurn one = await host.History(history);
        history.AddRange([new("assistant", one.Text), new("user", "What is it called?")]);
        TakenTurn two = await host.History(history);
        Assert.Null(two.Started.Edit);
        Assert.Equal(one.Usage.PromptTokens + one.Usage.CompletionTokens - 1, two.Cached);

        await host.Conversations.CreateAsync(ConversationHost.Tenant, new() { Id = "appended" });
        TakenTurn first = await host.Turn("My cat is called Tom.", "appended");
        TakenTurn second = await host.Turn("What is it called?", "appended");
        Assert.Equal(one.Ids, first.Ids);
        Assert.Equal(two.Ids, second.Ids);
        Assert.Equal(await host.Log(), await host.Log("appended"));
    }

    [Fact]
    public async Task AHistoryWithAChangedMessageKeepsTheLongestCommonTokenPrefix()
    {
        await using var host = new ConversationHost(model);
        TakenTurn one = await host.History([new("system", "Be brief and kind to all."), new("user", "My cat is called Tom.")]);
        int[] former = await host.Log();
        List<ChatMessage> changed = [new("system", "Be brief and kind to all."), new("user", "My cat is called Tim."), new("assistant", one.Text), new("user", "Is it old?")];
        int[] prompt = model.Prompt.Encode(changed, addGenerationPrompt: true).Ids;
        int differing = prompt.AsSpan().CommonPrefixLength(former);
        TakenTurn two = await host.History(changed);
        Assert.Equal(differing, two.Cached);
        Assert.Equal((differing, former.Length - differing), (two.Started.Edit!.TokensKept, two.Started.Edit.TokensInvalidated));
        Assert.Equal(former.Length - differing, two.Usage.InvalidatedTokens);
        Assert.True(two.Started.Edit.BlocksReleased > 0);
        Assert.Equal((long)two.Started.Edit.BlocksReleased * host.Cache.Shape.BytesPerBlock, two.Started.Edit.BytesFreed["hot"]);
    }

    [Fact]
    public async Task ATurnThatIsCancelledLeavesEverythingAndItsRetryIsCheap()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("My cat is called Tom.");
        int[] before = await host.Log();
        using var cancel = new CancellationTokenSource();
        async Task<bool> Cancel()
        {
            await cancel.CancelAsync();
            return true;
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Interrupt(host.Endless("Tell me all about it."), Cancel, cancellationToken: cancel.Token));
        Assert.Equal(before, await host.Log());
        Assert.Equal(2, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);
        TakenTurn retry = await host.Turn("Tell me all about it.");
        Assert.Equal(retry.Usage.PromptTokens - 1, retry.Cached);
        Assert.Equal(3, retry.Completed.Version);
    }

    [Fact]
    public async Task LeavingTheStreamEndsTheTurn()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        Assert.Null(await host.Interrupt(host.Endless("Go on."), () => Task.FromResult(false)));
        Assert.Equal(1, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);
        Assert.Equal((0, 0), (host.Engine.Snapshot().Running, host.Engine.Snapshot().Waiting));
        Assert.Equal(2, (await host.Turn("Hello")).Completed.Version);
    }

    [Fact]
    public async Task ACancelledFirstTurnLeavesNoConversation()
    {
        await using var host = new ConversationHost(model);
        Assert.Null(await host.Interrupt(host.Endless("Go on.") with { Mode = TurnMode.History }, () => Task.FromResult(false)));
        await Assert.ThrowsAsync<ConversationNotFoundException>(() => host.Conversations.GetAsync(ConversationHost.Key()));
        Assert.Equal(0, host.Conversations.Snapshot().Active);
    }

    [Fact]
    public async Task APromptBeyondTheContextIsRefusedAndChangesNothing()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("Hello");
        int[] before = await host.Log();
        PromptTooLongException exception = await Assert.ThrowsAsync<PromptTooLongException>(() => host.Turn(string.Concat(Enumerable.Repeat("long ", 4000))));
        Assert.True(exception.PromptTokenCount > exception.MaxPromptTokenCount);
        Assert.Equal(before, await host.Log());
        TakenTurn next = await host.Turn("Short.");
        Assert.True(next.Cached >= before.Length - model.Prompt.AnswerClosingIds.Count - 1);
    }

    [Fact]
    public async Task AnotherVersionThanTheExpectedIsAConflict()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("Hello");
        TurnRequest stale = new() { Messages = [new("user", "Hi")], ExpectedVersion = 1 };
        ConversationConflictException exception = await Assert.ThrowsAsync<ConversationConflictException>(() => host.Take("c", stale));
        Assert.Equal((1L, 2L), (exception.ExpectedVersion, exception.ActualVersion));
        Assert.Equal(3, (await host.Take("c", stale with { ExpectedVersion = 2 })).Completed.Version);
    }

    [Fact]
    public async Task AStopStringIsNeitherInTheAnswerNorInTheNextPrompt()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        TakenTurn free = await host.Turn("Tell me a story.", options: new() { MaxTokens = 40 });
        string whole = free.Text;
        string stop = whole[(whole.Length / 2)..(whole.Length / 2 + 2)];
        TakenTurn stopped = await host.Regenerate(options: new() { MaxTokens = 40, Stop = [stop] });
        Assert.Equal("stop", stopped.Completed.FinishReason);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], stopped.Completed.Message.Content);
        int[] span = (await host.Store.ReadAsync(ConversationHost.Key()))!.Log.Messages[^1].Tokens.ToArray();
        string decoded = model.Prompt.Tokenizer.Decode(span);
        Assert.Equal(stopped.Completed.Message.Content, decoded.Trim()["assistant".Length..].TrimStart('\n'));
        TakenTurn next = await host.Turn("Go on.");
        Assert.Null(next.Started.Edit);
        Assert.Equal(ExplanationReason.Appended, (await host.Conversations.ExplainAsync(ConversationHost.Key())).Reason);
    }

    [Fact]
    public async Task ARegenerationDrawsAnewUnlessTheSeedIsGiven()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        var sampled = new GenerationOptions { Temperature = 1, MaxTokens = 20 };
        TakenTurn one = await host.Turn("Hello", options: sampled);
        TakenTurn two = await host.Regenerate(options: sampled);
        Assert.NotEqual(one.Ids, two.Ids);
        Assert.Equal(2, (await host.Conversations.GetAsync(ConversationHost.Key())).Messages[^1].Index);
        Assert.Equal(two.Usage.PromptTokens - 1, two.Cached);
        int[] three = (await host.Regenerate(options: sampled with { Seed = 7 })).Ids;
        Assert.Equal(three, (await host.Regenerate(options: sampled with { Seed = 7 })).Ids);
        Assert.NotEqual(three, (await host.Regenerate(options: sampled with { Seed = 8 })).Ids);
    }

    [Fact]
    public async Task WithTheCacheOffTheAnswerIsTheSame()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        await host.Turn("Hello");
        var options = new GenerationOptions { MaxTokens = 20, TopLogProbs = 3 };
        TakenTurn cached = await host.Turn("Go on.", options: options);
        TakenTurn uncached = await host.Regenerate(options: options with { UseCache = false });
        Assert.Equal((0, uncached.Usage.PromptTokens), (uncached.Cached, uncached.Usage.ComputedTokens));
        Assert.Equal(cached.Ids, uncached.Ids);
        Assert.Equal(cached.Tokens.Select(token => token.LogProb!.LogProb), uncached.Tokens.Select(token => token.LogProb!.LogProb));
    }

    [Fact]
    public async Task TokensOfAnotherVocabularyAreEncodedAnew()
    {
        await using var host = new ConversationHost(model);
        LoggedMessage[] foreign = [new("user", "Hello there", [9, 9, 9]), new("assistant", "Hi", [4, 5])];
        ConversationCreated created = new() { At = host.Time.GetUtcNow(), Incarnation = Guid.NewGuid(), Model = "other", Vocabulary = "other", Messages = [.. foreign] };
        Assert.True(await host.Store.TryAppendAsync(ConversationHost.Key(), null, created));
        TakenTurn turn = await host.Turn("Go on.");
        int[] expected = model.Prompt.Encode([new("user", "Hello there"), new("assistant", "Hi"), new("user", "Go on.")], addGenerationPrompt: true).Ids;
        Assert.Equal(expected, (await host.Log())[..expected.Length]);
        Assert.Equal((0, 5), (turn.Started.Edit!.TokensKept, turn.Started.Edit.TokensInvalidated));
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(("tiny", 0), (view.Model, view.UndoDepth));
    }

    [Fact]
    public async Task BadInputIsNamedAndChangesNothing()
    {
        await using var host = new ConversationHost(model);
        await host.Create();
        async Task Refused(string part, TurnRequest request) =>
            Assert.Contains(part, (await Assert.ThrowsAnyAsync<ArgumentException>(() => host.Take("c", request))).Message, StringComparison.Ordinal);

        await Refused("Messages is empty", new() { Messages = [] });
        await Refused("Messages[1]", new() { Messages = [new("user", "a"), new("", "b")] });
        await Refused("Messages[0].Content holds half of a surrogate pair at character 1", new() { Messages = [new("user", "a\uD83D")] });
        await Refused("MaxTokens is 0", new() { Messages = [new("user", "a")], Options = new() { MaxTokens = 0 } });
        await Refused("Temperature is -1", new() { Messages = [new("user", "a")], Options = new() { Temperature = -1 } });
        await Refused("TopLogProbs is 21", new() { Messages = [new("user", "a")], Options = new() { TopLogProbs = 21 } });
        await Refused("Mode is 9", new() { Mode = (TurnMode)9, Messages = [new("user", "a")] });
        Assert.Equal(1, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);
    }
}
