using KvTiers.Cli.Chat;
using KvTiers.Conversations;

namespace KvTiers.Cli.Tests.Chat;

public class TurnTextTests
{
    [Theory]
    [InlineData(6.04, "6 ms")]
    [InlineData(0.44, "0.4 ms")]
    [InlineData(31.6, "32 ms")]
    [InlineData(1240, "1.24 s")]
    [InlineData(999.6, "1.0 s")]
    public void ATurnSaysWhatWasCachedAndComputed(double milliseconds, string time) => Assert.Equal(
        $"turn 2: 87 tokens cached, 1,014 computed, first token in {time}",
        TurnText.Describe(2, Completed(new CachedTokens { Hot = 87 }, 1014, milliseconds)));

    [Fact]
    public void ColderTiersAreNamed() => Assert.Equal(
        "turn 2: 99 tokens cached (80 hot, 12 RAM, 7 Redis), 1 computed, first token in 6 ms",
        TurnText.Describe(2, Completed(new CachedTokens { Hot = 80, Ram = 12, Redis = 7 }, 1, 6)));

    [Fact]
    public void AnAnswerThatWasCutOffSaysSo() => Assert.EndsWith(
        "first token in 6 ms; cut off at the token limit",
        TurnText.Describe(1, Completed(new CachedTokens { Hot = 1 }, 1, 6) with { FinishReason = "length" }));

    [Fact]
    public void WhatThePromptOrTheAnswerLacksIsSaid()
    {
        TurnCompleted turn = Completed(new CachedTokens { Hot = 1 }, 1, 6) with { FinishReason = "length" };
        var cut = new ContextCut
        {
            Policy = ContextPolicy.DropOldest,
            MessagesDropped = 12,
            TokensDropped = 300,
            FirstDropped = 1,
            MessagesKept = 9,
            TokensBeforeCut = 20,
            FormerPromptTokens = 500,
            PromptTokens = 200,
            ContextTokens = 512,
            AnswerReserve = 20,
        };
        Assert.Equal("cut off where the context ends", TurnText.Loss(turn with { Usage = turn.Usage with { LimitedBy = "context" } }));
        Assert.Equal(
            "12 messages left out of the prompt, as the context was full; cut off at the token limit",
            TurnText.Loss(turn with { Usage = turn.Usage with { LimitedBy = "max_tokens", Cut = cut } }));
        var summary = new ContextSummary { PromptTokens = 300, CachedTokens = 200, CompletionTokens = 30 };
        Assert.Equal(
            "12 messages left out of the prompt, as the context was full, and summarized",
            TurnText.Loss(turn with { FinishReason = "stop", Usage = turn.Usage with { Cut = cut with { Policy = ContextPolicy.Summarize, Summary = summary } } }));
        Assert.Equal(
            "12 messages left out of the prompt, as the context was full (no summary: it was empty.)",
            TurnText.Loss(turn with { FinishReason = "stop", Usage = turn.Usage with { Cut = cut with { SummaryFailure = "it was empty." } } }));
    }

    [Theory]
    [InlineData(4, 0, "12 tokens kept, 75 invalidated; 4 blocks released")]
    [InlineData(1, 2, "12 tokens kept, 75 invalidated; 1 block released, 2 still shared")]
    public void AReceiptSaysWhatWasInvalidated(int released, int shared, string text) => Assert.Equal(text, TurnText.Describe(new EditReceipt
    {
        Version = 3,
        TokensKept = 12,
        TokensInvalidated = 75,
        BlocksReleased = released,
        BlocksShared = shared,
        BytesFreed = new Dictionary<string, long>(),
    }));

    private static TurnCompleted Completed(CachedTokens cached, int computed, double milliseconds) => new()
    {
        Conversation = "c",
        Version = 1,
        Message = new MessageView { Index = 1, Role = "assistant", Content = "", TokenStart = 0, TokenCount = 0 },
        FinishReason = "stop",
        Usage = new TurnUsage
        {
            PromptTokens = cached.Total + computed,
            CompletionTokens = 1,
            Cached = cached,
            ComputedTokens = computed,
            InvalidatedTokens = 0,
            TtftMs = milliseconds,
            TotalMs = milliseconds,
        },
    };
}
