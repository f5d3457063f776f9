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
