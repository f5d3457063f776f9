using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Sessions.Tests;

public sealed class ConversationJsonTests
{
    [Fact]
    public void TurnEventsCarryTheirTypeAndSnakeCaseNames()
    {
        TurnEvent token = new TurnToken { TokenId = 7, Text = "é", LogProb = new() { TokenId = 7, Text = "é", LogProb = -0.5 } };
        Assert.Equal(
            """{"type":"token","token_id":7,"text":"é","log_prob":{"token_id":7,"text":"é","log_prob":-0.5,"top":[]}}""",
            JsonSerializer.Serialize(token, ConversationJson.Options));
    }

    [Fact]
    public void EveryEventComesBackAsItWas()
    {
        TurnEvent[] events =
        [
            new TurnStarted
            {
                Conversation = "c",
                PromptTokens = 3,
                Edit = new() { Version = 4, TokensKept = 1, TokensInvalidated = 2, BlocksReleased = 3, BlocksShared = 4, BytesFreed = new Dictionary<string, long> { ["hot"] = 5 } },
            },
            new TurnToken { TokenId = 1, Text = "" },
            new TurnCompleted
            {
                Conversation = "c",
                Version = 2,
                Message = new() { Index = 1, Role = "assistant", Content = "hi", TokenStart = 3, TokenCount = 4 },
                FinishReason = "stop",
                Usage = new() { PromptTokens = 9, CompletionTokens = 2, Cached = new() { Hot = 8 }, ComputedTokens = 1, InvalidatedTokens = 0, TtftMs = 1.5, TotalMs = 2.5 },
            },
        ];
        foreach (TurnEvent one in events)
        {
            string json = JsonSerializer.Serialize(one, ConversationJson.Options);
            TurnEvent back = JsonSerializer.Deserialize<TurnEvent>(json, ConversationJson.Options)!;
            Assert.Equal(one.GetType(), back.GetType());
            Assert.Equal(json, JsonSerializer.Serialize(back, ConversationJson.Options));
        }
    }

    [Fact]
    public void CachedTokensWriteTheirTotal() =>
        Assert.Equal("""{"hot":3,"ram":2,"disk":0,"redis":1,"total":6}""", JsonSerializer.Serialize(new CachedTokens { Hot = 3, Ram = 2, Redis = 1 }, ConversationJson.Options));

    [Fact]
    public void ATurnRequestNeedsOnlyItsMessages()
    {
        TurnRequest request = JsonSerializer.Deserialize<TurnRequest>("""{"messages":[{"role":"user","content":"hi"}],"mode":"history","options":{"max_tokens":5}}""", ConversationJson.Options)!;
        Assert.Equal(TurnMode.History, request.Mode);
        Assert.Equal([new ChatMessage("user", "hi")], request.Messages);
        Assert.Equal(5, request.Options.MaxTokens);
        Assert.True(request.Options.UseCache);
        Assert.Null(request.ExpectedVersion);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"messages":null}""")]
    [InlineData("""{"messages":[{"role":"user"}]}""")]
    [InlineData("""{"messages":[{"role":"user","content":null}]}""")]
    [InlineData("""{"messages":[],"mode":1}""")]
    [InlineData("""{"messages":[],"options":null}""")]
    public void AnIncompleteTurnRequestIsRefused(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TurnRequest>(json, ConversationJson.Options));
}
