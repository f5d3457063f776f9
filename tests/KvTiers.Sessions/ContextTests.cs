using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests;

/// <summary>Conversations that outgrow the model's context, of 512 tokens here.</summary>
public sealed class ContextTests(TinyModel model)
{
    private const int Context = 512;

    [Theory]
    [InlineData(ContextPolicy.DropOldest)]
    [InlineData(ContextPolicy.KeepEnds)]
    [InlineData(ContextPolicy.Summarize)]
    public async Task AConversationThatOutgrowsTheContextGoesOn(ContextPolicy policy)
    {
        await using var host = Host(policy);
        await host.Create();
        int cuts = 0;
        for (int turn = 0; turn < 40; turn++)
        {
            TakenTurn taken = await host.Turn(Question(turn));
            Assert.True(taken.Started.PromptTokens + 12 <= Context);
            Assert.Equal(taken.Started.Cut, taken.Usage.Cut);
            Assert.Null(taken.Started.AnswerRoom);
            if (taken.Usage.Cut is not { } cut)
            {
                Assert.Equal(0, taken.Usage.InvalidatedTokens);
                continue;
            }

            cuts++;
            Assert.Equal((policy, Context, 12), (cut.Policy, cut.ContextTokens, cut.AnswerReserve));
            Assert.True(cut.FormerPromptTokens + 12 > Context);
            Assert.Equal(taken.Started.PromptTokens, cut.PromptTokens);
            Assert.InRange(taken.Usage.InvalidatedTokens, cut.TokensDropped, cut.FormerPromptTokens);
            Assert.Equal(policy == ContextPolicy.Summarize, cut.Summary is not null);
            Assert.True(cut.Summary is null || cut.Summary.CachedTokens > cut.Summary.PromptTokens / 2);
        }

        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.InRange(cuts, 2, policy == ContextPolicy.Summarize ? 15 : 10);
        Assert.Equal(81, view.Messages.Count);
        Assert.Equal(Enumerable.Range(0, 40).Select(Question), view.Messages.Where(message => message.Role == "user").Select(message => message.Content));
        Assert.Equal(view.Context!.DroppedMessages, view.Messages.Count(message => message.DroppedAt is not null));
        Assert.Null(view.Messages[0].DroppedAt);
        Assert.Equal(policy == ContextPolicy.KeepEnds, view.Messages[1].DroppedAt is null);
        Assert.Null(view.Messages[^2].DroppedAt);
        Assert.Equal(policy == ContextPolicy.Summarize, view.Context.Summary is not null);
    }

    [Theory]
    [InlineData(ContextPolicy.DropOldest)]
    [InlineData(ContextPolicy.KeepEnds)]
    [InlineData(ContextPolicy.Summarize)]
    public async Task AnswersAreThoseOfAHostThatComputesEveryPromptWhole(ContextPolicy policy)
    {
        await using var host = Host(policy);
        await using var plain = Host(policy);
        await host.Create();
        await plain.Create();
        for (int turn = 0; turn < 24; turn++)
        {
            TakenTurn taken = await host.Turn(Question(turn), options: new() { TopLogProbs = 1 });
            TakenTurn whole = await plain.Turn(Question(turn), options: new() { TopLogProbs = 1, UseCache = false });
            Assert.Equal(0, whole.Cached);
            Assert.Equal(whole.Ids, taken.Ids);
            Assert.Equal(whole.Tokens.Select(token => token.LogProb!.LogProb), taken.Tokens.Select(token => token.LogProb!.LogProb));
            Assert.Equal(await plain.Log(), await host.Log());
        }

        // The prompt after a cut is the template's own for the messages that are left.
        TokenLog log = (await host.Store.ReadAsync(ConversationHost.Key()))!.Log;
        Assert.NotNull(log.Cut);
        int[] encoded = host.Prompt.Encode([.. log.Messages.Select(message => message.ToChatMessage())], addGenerationPrompt: false).Ids;
        Assert.Equal(host.Engine.Tokenizer.Decode(encoded, skipSpecial: false), host.Engine.Tokenizer.Decode(log.Tokens.Span, skipSpecial: false));
    }

    [Fact]
    public async Task TheTurnsBetweenTwoCutsFindAllThatTheLastTurnLeft()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        TakenTurn last = await host.Turn(Question(0));
        for (int turn = 1; turn < 30; turn++)
        {
            TakenTurn taken = await host.Turn(Question(turn));
            Assert.Equal(taken.Usage.Cut?.TokensBeforeCut ?? last.Usage.PromptTokens + last.Usage.CompletionTokens - 1, taken.Cached);
            last = taken;
        }
    }

    [Fact]
    public async Task AConversationThatRefusesSaysWhatDoesNotFitAndStaysAsItWas()
    {
        await using var host = Host(ContextPolicy.Refuse);
        await host.Create();
        TakenTurn? last = null;
        PromptTooLongException? refusal = null;
        for (int turn = 0; refusal is null; turn++)
        {
            try
            {
                last = await host.Turn(Question(turn));
                Assert.Null(last.Usage.Cut);
            }
            catch (PromptTooLongException exception)
            {
                refusal = exception;
            }
        }

        Assert.Equal(Context - 1, refusal.MaxPromptTokenCount);
        Assert.Equal(last!.Completed.Version, (await host.Conversations.GetAsync(ConversationHost.Key())).Version);

        // One turn may leave out what the others may not.
        TakenTurn taken = await host.Take("c", new() { Messages = [new("user", Question(99))], Truncation = Truncation.Auto });
        Assert.Equal(ContextPolicy.DropOldest, taken.Usage.Cut!.Policy);
        Assert.Equal(ContextPolicy.Refuse, (await host.Store.ReadAsync(ConversationHost.Key()))!.ContextPolicy ?? host.Services.Options.ContextPolicy);
    }

    [Fact]
    public async Task AnAnswerThatTheContextEndsSaysSo()
    {
        await using var host = Host(ContextPolicy.Refuse);
        await host.Create();
        TakenTurn taken = await host.Take("c", host.Endless("Go on.", 2000));
        int room = Context - taken.Started.PromptTokens;
        Assert.Equal((room, room, "length", "context"), (taken.Started.AnswerRoom, taken.Usage.CompletionTokens, taken.Completed.FinishReason, taken.Usage.LimitedBy));
        Assert.Equal("context", (await host.Conversations.GetAsync(ConversationHost.Key())).LastTurn!.LimitedBy);

        await host.Conversations.UndoAsync(ConversationHost.Key());
        TakenTurn shorter = await host.Take("c", host.Endless("Go on.", 20));
        Assert.Equal((null, "length", "max_tokens"), (shorter.Started.AnswerRoom, shorter.Completed.FinishReason, shorter.Usage.LimitedBy));
    }

    [Fact]
    public async Task AMessageThatCannotFitIsRefusedUnderEveryPolicy()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        await host.Turn(Question(0));
        int[] before = await host.Log();
        await Assert.ThrowsAsync<PromptTooLongException>(() => host.Turn(model.TextOf(Context, "Long:")));
        Assert.Equal(before, await host.Log());
    }

    [Fact]
    public async Task ThePolicyIsTheConversationsAndATurnMayChangeIt()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Conversations.CreateAsync(ConversationHost.Tenant, new() { Id = "c", Messages = [new("system", "Be kind.")], ContextPolicy = ContextPolicy.Refuse });
        Assert.Equal(ContextPolicy.Refuse, (await host.Conversations.GetAsync(ConversationHost.Key())).ContextPolicy);
        await host.Take("c", new() { Messages = [new("user", "Hello")], ContextPolicy = ContextPolicy.KeepEnds });
        Assert.Equal(ContextPolicy.KeepEnds, (await host.Conversations.GetAsync(ConversationHost.Key())).ContextPolicy);
        await host.Conversations.ForkAsync(ConversationHost.Key(), new() { Id = "fork" });
        Assert.Equal(ContextPolicy.KeepEnds, (await host.Conversations.GetAsync(ConversationHost.Key("fork"))).ContextPolicy);
        await host.Turn("And?");
        Assert.Equal(ContextPolicy.KeepEnds, (await host.Conversations.GetAsync(ConversationHost.Key())).ContextPolicy);
    }

    [Fact]
    public async Task PinnedMessagesAndThoseOfTheSystemStay()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        await host.Turn(Question(0));
        await host.Take("c", new() { Messages = [new("user", "Keep the number 17.") { Pinned = true }] });
        await host.Take("c", new() { Messages = [new("system", "From now on be brief."), new("user", Question(1))] });
        for (int turn = 2; turn < 20; turn++)
            await host.Turn(Question(turn));
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        MessageView pinned = Assert.Single(view.Messages, message => message.Pinned == true);
        Assert.Equal((null, "Keep the number 17."), (pinned.DroppedAt, pinned.Content));
        Assert.Null(view.Messages[pinned.Index + 1].DroppedAt);
        Assert.All(view.Messages.Where(message => message.Role == "system"), message => Assert.Null(message.DroppedAt));
        Assert.NotNull(view.Messages[1].DroppedAt);
        Assert.NotNull(view.Messages[pinned.Index + 3].DroppedAt);
    }

    [Fact]
    public async Task AnAgentsOneTurnGoesOnToo()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        await host.Turn("Count the files.");
        for (int call = 0; call < 25; call++)
            await host.Take("c", new() { Messages = [new("tool", $"folder {call} has many files in it, and some more") { ToolCallId = $"call_{call}" }] });
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Null(view.Messages[1].DroppedAt);
        Assert.NotNull(view.Messages[2].DroppedAt);
        Assert.All(view.Messages.Where(message => message.Role == "tool"), result => Assert.Equal(result.DroppedAt is null, view.Messages[result.Index - 1].DroppedAt is null));
    }

    [Fact]
    public async Task AWholeHistoryIsFoundInAConversationThatWasCut()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        List<ChatMessage> history = [new("system", "Be kind.")];
        TakenTurn? last = null;
        int cuts = 0;
        for (int turn = 0; turn < 24; turn++)
        {
            history.Add(new("user", Question(turn)));
            TakenTurn taken = await host.History(history);
            if (taken.Usage.Cut is null && last is not null)
                Assert.Equal(last.Usage.PromptTokens + last.Usage.CompletionTokens - 1, taken.Cached);
            cuts += taken.Usage.Cut is null ? 0 : 1;
            history.Add(new("assistant", taken.Text));
            last = taken;
        }

        Assert.InRange(cuts, 2, 6);

        // Another text in what was left out is another history: it is cut anew.
        history[1] = new("user", "Something else altogether.");
        history.Add(new("user", "And now?"));
        TakenTurn changed = await host.History(history);
        Assert.NotNull(changed.Usage.Cut);
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal((history.Count + 1, "Something else altogether."), (view.Messages.Count, view.Messages[1].Content));
    }

    [Fact]
    public async Task AHistoryThatIsTooLongFromTheStartBeginsAConversation()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        List<ChatMessage> history = [new("system", "Be kind.")];
        for (int turn = 0; turn < 40; turn++)
            history.AddRange([new("user", Question(turn)), new("assistant", "I see.")]);
        history.Add(new("user", "And now?"));
        TakenTurn taken = await host.History(history);
        Assert.True(taken.Usage.Cut!.FormerPromptTokens > 2 * Context);
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(history.Count + 1, view.Messages.Count);
        Assert.Equal(history.Select(message => message.Content), view.Messages.SkipLast(1).Select(message => message.Content));
    }

    [Fact]
    public async Task ARestartAndATakeoverGoOnAsIfNothingWere()
    {
        using var folder = new TemporaryFolder();
        IConversationStore Store() => new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        await using var host = Host(ContextPolicy.Summarize);
        await host.Create();
        ConversationHost first = Host(ContextPolicy.Summarize, Store());
        await using ConversationHost other = Host(ContextPolicy.Summarize, Store());
        await using (first)
        {
            await first.Create();
            for (int turn = 0; turn < 20; turn++)
            {
                TakenTurn expected = await host.Turn(Question(turn));
                TakenTurn taken = await (turn % 3 == 2 ? other : first).Turn(Question(turn));
                Assert.Equal((expected.Text, expected.Usage.PromptTokens), (taken.Text, taken.Usage.PromptTokens));
            }
        }

        await using ConversationHost restarted = Host(ContextPolicy.Summarize, Store());
        for (int turn = 20; turn < 30; turn++)
            Assert.Equal((await host.Turn(Question(turn))).Text, (await restarted.Turn(Question(turn))).Text);
        ConversationView known = await host.Conversations.GetAsync(ConversationHost.Key());
        ConversationView view = await restarted.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(known.Messages, view.Messages);
        Assert.Equal(known.Context, view.Context);
    }

    [Fact]
    public async Task UndoBringsBackWhatATurnLeftOut()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        (int[] before, int _) = await UntilCut(host);
        Assert.NotNull((await host.Conversations.GetAsync(ConversationHost.Key())).Context);
        await host.Conversations.UndoAsync(ConversationHost.Key());
        Assert.Equal(before, await host.Log());
        Assert.Null((await host.Conversations.GetAsync(ConversationHost.Key())).Context);
    }

    [Fact]
    public async Task ARegenerationKeepsTheCut()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        await UntilCut(host);
        ConversationView cut = await host.Conversations.GetAsync(ConversationHost.Key());
        TakenTurn again = await host.Regenerate(options: new() { Temperature = 1, Seed = 5 });
        Assert.Null(again.Usage.Cut);
        Assert.Equal(cut.LastTurn!.PromptTokens, again.Usage.PromptTokens);
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(cut.Messages.SkipLast(1), view.Messages.SkipLast(1));
    }

    [Fact]
    public async Task AnEditOfAMessageThatThePromptHasLeavesTheCutAsItIs()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        await UntilCut(host);
        ConversationView cut = await host.Conversations.GetAsync(ConversationHost.Key());
        await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = cut.Messages.Count - 2, Content = "Another question.", DropLater = true });
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal(cut.Context, view.Context);
        Assert.Equal(("Another question.", cut.Messages.Count - 1), (view.Messages[^1].Content, view.Messages.Count));
        Assert.Null((await host.Regenerate()).Usage.Cut);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnEditOfAMessageThatWasLeftOutBringsAllBack(bool dropLater)
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        await UntilCut(host);
        ConversationView cut = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.NotNull(cut.Messages[3].DroppedAt);
        await host.Conversations.EditAsync(ConversationHost.Key(), new() { Index = 3, Content = "Another question.", DropLater = dropLater });
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Null(view.Context);
        Assert.Equal(dropLater ? 4 : cut.Messages.Count, view.Messages.Count);
        TakenTurn next = await host.Turn("And now?");
        Assert.Equal(dropLater, next.Usage.Cut is null);
    }

    [Fact]
    public async Task ForksAndTruncationsBehindTheCutKeepItAndThoseBeforeItHaveAllAgain()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        await UntilCut(host);
        ConversationView cut = await host.Conversations.GetAsync(ConversationHost.Key());
        int behind = cut.Context!.DroppedMessages + 1;
        ConversationView whole = await host.Conversations.ForkAsync(ConversationHost.Key(), new() { Id = "before", At = behind });
        ConversationView kept = await host.Conversations.ForkAsync(ConversationHost.Key(), new() { Id = "behind", At = behind + 1 });
        Assert.Equal((behind, null), (whole.Messages.Count, whole.Context));
        Assert.Equal((behind + 1, cut.Context), (kept.Messages.Count, kept.Context));
        await host.Turn("And now?", "before");
        await host.Turn("And now?", "behind");

        await host.Conversations.TruncateAsync(ConversationHost.Key(), behind + 1);
        Assert.Equal(cut.Context, (await host.Conversations.GetAsync(ConversationHost.Key())).Context);
        await host.Conversations.TruncateAsync(ConversationHost.Key(), behind - 1);
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key());
        Assert.Equal((behind - 1, null), (view.Messages.Count, view.Context));
        Assert.Equal(view.Messages.Select(message => message.Content), cut.Messages.Take(behind - 1).Select(message => message.Content));
    }

    [Fact]
    public async Task ASummaryThatCannotBeMadeIsToldAndTheOldestTurnsGo()
    {
        await using var host = Host(ContextPolicy.Summarize);
        await host.Create();
        ContextCut? cut = null;
        for (int turn = 0; cut is null; turn++)
        {
            int next = (await host.Conversations.GetAsync(ConversationHost.Key())).TokenCount + model.Prompt.Encode([new("user", Question(turn))], addGenerationPrompt: true).Ids.Length;
            if (next + 12 > Context)
                host.Model.Say([host.Engine.Tokenizer.EndOfText[0]]);
            cut = (await host.Turn(Question(turn))).Usage.Cut;
        }

        Assert.Equal((ContextPolicy.DropOldest, null, "The model's summary was empty."), (cut.Policy, cut.Summary, cut.SummaryFailure));
        Assert.Null((await host.Conversations.GetAsync(ConversationHost.Key())).Context!.Summary);
    }

    [Fact]
    public async Task ExplainTellsOfTheCut()
    {
        await using var host = Host(ContextPolicy.DropOldest);
        await host.Create();
        await UntilCut(host);
        Explanation explanation = await host.Conversations.ExplainAsync(ConversationHost.Key());
        Assert.Equal(ExplanationReason.Cut, explanation.Reason);
        Assert.Contains("The context of 512 tokens was full", explanation.Text, StringComparison.Ordinal);
        Assert.InRange(explanation.CostTokens, 1, explanation.ComputedTokens);
    }

    [Fact]
    public async Task DeletionTakesTheBlocksFromBeforeTheCutToo()
    {
        await using var host = Host(ContextPolicy.Summarize);
        await host.Create();
        for (int turn = 0; turn < 30; turn++)
            await host.Turn(Question(turn));
        await host.Conversations.DeleteAsync(ConversationHost.Key());
        Assert.Equal(0, host.UsedBlocks);
    }

    private static string Question(int turn) => $"Question {turn}: what shall we do with the tall ship?";

    private ConversationHost Host(ContextPolicy policy, IConversationStore? store = null) => new(
        model, store, contextTokens: Context, conversations: new() { ModelName = "tiny", Defaults = new() { MaxTokens = 12, Temperature = 0 }, ContextPolicy = policy, SummaryTokens = 32 });

    // Takes turns until one leaves something out; the log before it.
    private static async Task<(int[] Before, int Turn)> UntilCut(ConversationHost host)
    {
        for (int turn = 0; ; turn++)
        {
            int[] before = await host.Log();
            if ((await host.Turn(Question(turn))).Usage.Cut is not null)
                return (before, turn);
        }
    }
}
