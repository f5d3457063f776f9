using KvTiers.Conversations;
using KvTiers.Diagnostics;
using KvTiers.Inference.Scheduling;
using KvTiers.Sessions.Changes;

namespace KvTiers.Sessions.Tests;

/// <summary>Random operations on a few conversations, against plain lists of messages and an engine that uses no cache.</summary>
public sealed class ConversationModelTests(TinyModel model)
{
    private const int Operations = 160;

    // Few enough for any prompt to fit the pool.
    private const int MaxMessages = 12;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task WhateverIsDoneMessagesUndoAndAnswersAreThoseOfTheReference(int seed)
    {
        var random = new Random(seed);
        await using var host = new ConversationHost(model, blocks: 30, options: new() { MaxActive = 3, IdleAfter = TimeSpan.FromMinutes(1) });
        await using var reference = new ConversationHost(model);
        var expected = new Dictionary<string, Reference>();
        var seen = new Dictionary<string, int>();
        for (int i = 0; i < Operations; i++)
        {
            string id = $"c{random.Next(4)}";
            string operation = !expected.TryGetValue(id, out Reference? known) ? "create" : known.Messages.Count > MaxMessages ? "truncate" : Pick(random);
            seen[operation] = seen.GetValueOrDefault(operation) + 1;
            await host.WhileTimePasses(Perform(host, expected, id, operation, random));
            if (expected.TryGetValue(id, out Reference? talk))
                await Compare(host, reference, id, talk, $"seed {seed}, operation {i}: {operation} {id}");
            if (i % 8 == 0)
                CacheIntegrity.Check(host.Cache);
        }

        Assert.Equal(11, seen.Count);
        CacheTotals totals = host.Cache.Snapshot().Totals;
        Assert.True(totals.EvictedLiveBlocks + totals.EvictedSupersededBlocks > 0, $"seed {seed}: nothing was evicted");
        Assert.True(totals.SupersededBlocks > 0, $"seed {seed}: nothing was superseded");
    }

    private static string Pick(Random random) => random.Next(14) switch
    {
        < 4 => "turn",
        4 => "history",
        5 => "edit",
        6 => "edit and drop",
        7 => "truncate",
        8 => "regenerate",
        9 or 10 => "undo",
        11 => "cancel",
        12 => "idle",
        _ => "delete",
    };

    private static async Task Perform(ConversationHost host, Dictionary<string, Reference> expected, string id, string operation, Random random)
    {
        ConversationKey key = ConversationHost.Key(id);
        string text = $"Text {random.Next(6)}" + string.Concat(Enumerable.Repeat(" and more", random.Next(6)));
        Reference? talk = expected.GetValueOrDefault(id);
        int index = talk is null ? 0 : random.Next(Math.Max(1, talk.Messages.Count));
        switch (operation)
        {
            case "create":
                expected[id] = new([new("system", "Be kind to all who come here, and brief.")]);
                await host.Conversations.CreateAsync(ConversationHost.Tenant, new() { Id = id, Messages = expected[id].Messages });
                break;
            case "turn":
                TakenTurn turn = await host.Turn(text, id);
                talk!.Answer([.. talk.Messages, new("user", text)], turn.Text);
                break;
            case "history":
                List<ChatMessage> history = [.. talk!.Messages.Take(index), new("user", text)];
                turn = await host.History(history, id);
                talk.Answer(history, turn.Text);
                break;
            case "edit" or "edit and drop" when talk!.Messages.Count > 0:
                bool drop = operation == "edit and drop";
                List<ChatMessage> edited = [.. talk.Messages];
                edited[index] = edited[index] with { Content = text };
                if (drop)
                    edited.RemoveRange(index + 1, edited.Count - index - 1);
                EditReceipt receipt = await host.Conversations.EditAsync(key, new() { Index = index, Content = text, DropLater = drop });
                if (receipt.Version > talk.Version)
                    talk.Change(edited);
                break;
            case "truncate" when talk!.Messages.Count > 0:
                await host.Conversations.TruncateAsync(key, index);
                talk.Change([.. talk.Messages.Take(index)]);
                break;
            case "regenerate" when talk!.Messages.Count > 1:
                List<ChatMessage> kept = talk.Messages[^1].Role == "assistant" ? talk.Messages[..^1] : talk.Messages;
                turn = await host.Regenerate(id);
                talk.Answer(kept, turn.Text);
                break;
            case "undo" when talk!.Undo.Count > 0:
                await host.Conversations.UndoAsync(key);
                talk.TakeBack();
                break;
            case "cancel":
                Assert.Null(await host.Interrupt(host.Endless(text), () => Task.FromResult(false), id));
                host.Model.Go();
                break;
            case "idle":
                host.Time.Advance(TimeSpan.FromMinutes(2));
                Assert.Equal(0, host.Cache.Snapshot().Leases);
                break;
            case "delete":
                await host.Conversations.DeleteAsync(key);
                expected.Remove(id);
                break;
        }
    }

    private static async Task Compare(ConversationHost host, ConversationHost reference, string id, Reference talk, string what)
    {
        ConversationView view = await host.Conversations.GetAsync(ConversationHost.Key(id));
        Assert.True(talk.Messages.SequenceEqual(view.Messages.Select(message => new ChatMessage(message.Role, message.Content))), what);
        Assert.True(talk.Undo.Count == view.UndoDepth, what);
        talk.Version = view.Version;
        if (!talk.IsAnswered)
            return;
        ConversationState state = (await host.Store.ReadAsync(ConversationHost.Key(id)))!;
        int promptLength = state.Log.TokenStart(state.Log.Messages.Length - 1) + host.Services.Prompt.GenerationPromptIds.Count;
        GenerationResult uncached = await reference.Engine.Submit(new()
        {
            Prompt = state.Log.Tokens[..promptLength],
            MaxNewTokens = 12,
            Sampling = new() { Temperature = 0 },
            UseCache = false,
        }).Completion;
        Assert.True(uncached.Choices[0].Text == talk.Messages[^1].Content, what);
    }

    private sealed class Reference(List<ChatMessage> messages)
    {
        public List<ChatMessage> Messages { get; private set; } = messages;

        public Stack<List<ChatMessage>> Undo { get; } = new();

        public long Version { get; set; }

        /// <summary>Whether the last operation ended with a new answer.</summary>
        public bool IsAnswered { get; private set; }

        public void Change(List<ChatMessage> next)
        {
            Undo.Push(Messages);
            Messages = next;
            IsAnswered = false;
        }

        public void Answer(List<ChatMessage> messages, string text)
        {
            Change([.. messages, new("assistant", text)]);
            IsAnswered = true;
        }

        public void TakeBack()
        {
            Messages = Undo.Pop();
            IsAnswered = false;
        }
    }
}
