using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using KvTiers.Orleans.Streaming;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace KvTiers.Orleans.Tests.Serialization;

public sealed class SessionsCodecTests
{
    internal static readonly IServiceProvider Services = Create();

    [Fact]
    public void EveryEventOfATurnTravels()
    {
        AssertTravels<TurnEvent>(new TurnStarted
        {
            Conversation = "one",
            PromptTokens = 12,
            Edit = new() { Version = 3, TokensKept = 1, TokensInvalidated = 2, BlocksReleased = 3, BlocksShared = 4, BytesFreed = new Dictionary<string, long> { ["hot"] = 5 } },
        });
        AssertTravels<TurnEvent>(new TurnCompleted
        {
            Conversation = "one",
            Version = 4,
            Message = new() { Index = 1, Role = "assistant", Content = "Hello", TokenStart = 5, TokenCount = 6 },
            FinishReason = "stop",
            Usage = new() { PromptTokens = 1, CompletionTokens = 2, Cached = new() { Hot = 3, Redis = 4 }, ComputedTokens = 5, InvalidatedTokens = 6, TtftMs = 0.1, TotalMs = 1.5 },
        });
    }

    [Fact]
    public void EveryMemberOfWhatTravelsWithATurnArrives()
    {
        AssertTravels(Filled.Of<TurnRequest>());
        AssertTravels(Filled.Of<GenerationOptions>());
        AssertTravels(Filled.Of<TurnStarted>());
        AssertTravels(Filled.Of<TurnCompleted>());
        AssertTravels(new GenerationOptions());
    }

    [Fact]
    public void ABatchArrivesWithItsEventsInOrder()
    {
        TurnEvent[] events = [new TurnStarted { Conversation = "one", PromptTokens = 12 }, new TurnToken { TokenId = 7, Text = "ä" }, new TurnToken { TokenId = 7, Text = "" }, Filled.Of<TurnCompleted>()];
        Assert.Equal(events.Select(Json), Travel(TurnBatch.Of(events)).Events.Select(Json));
        Assert.Equal(events[1..3], Travel(TurnBatch.Of(events[1..3])).Events);
        var rated = new TurnToken { TokenId = 7, Text = "a", LogProb = new() { TokenId = 7, Text = "a", LogProb = -0.5 } };
        Assert.Equal([-0.5, null], Travel(TurnBatch.Of([rated, events[1]])).Events.Select(one => ((TurnToken)one).LogProb?.LogProb));
    }

    [Fact]
    public void RequestsAndReceiptsTravel()
    {
        AssertTravels(new TurnRequest
        {
            Mode = TurnMode.History,
            Messages = [new ChatMessage("user", "x") { Name = "Ann" }, new ChatMessage("assistant", "") { ToolCalls = [new ToolCall("1", "f", "{}")] }, new ChatMessage("user", "y")],
            ExpectedVersion = 3,
            Options = new() { MaxTokens = 3, Seed = 4, Stop = ["a"], LogitBias = [new LogitBias(3, 1.5)], Format = AnswerFormat.Regex("a+"), UseCache = false },
        });
        AssertTravels(new CreateConversation { Id = "one", Messages = [new ChatMessage("system", "y")] });
        AssertTravels(new EditRequest { Index = 1, Content = "z", DropLater = true, ExpectedVersion = 2 });
        AssertTravels(new PinReceipt { Conversation = "one", Version = 2, PinnedUntil = DateTimeOffset.MaxValue, Tokens = 3, Blocks = 1 });
        AssertTravels(new DeleteReceipt { Conversation = "one", Tiers = [new() { Tier = "hot", Blocks = 2, Bytes = 3 }], BlocksShared = 1 });
    }

    [Fact]
    public void ACallWithinASiloPassesRecordsAsTheyAre()
    {
        var one = new EditRequest { Index = 1, Content = "a" };
        Assert.Same(one, Services.GetRequiredService<DeepCopier>().Copy(one));
    }

    [Fact]
    public void TheOpeningTravels()
    {
        PlacementOpening there = Travel(PlacementOpening.Of([new("system", "a"), new("user", "b")], [new() { Name = "f", Parameters = "{\"a\":1}" }])!);
        Assert.Equal([new() { Name = "f", Parameters = "{\"a\":1}" }], there.Definitions!);
        Assert.Equal([new("system", "a"), new("user", "b")], there.Messages);
    }

    [Fact]
    public void NoOtherTypeIsReadThroughIt()
    {
        Serializer serializer = Services.GetRequiredService<Serializer>();
        Assert.ThrowsAny<Exception>(() => serializer.SerializeToArray<object>(new SessionsCodecTests()));
        Assert.ThrowsAny<Exception>(() => serializer.SerializeToArray<object>(new TurnToken { TokenId = 7, Text = "a" }));
    }

    internal static T Travel<T>(T value) => Read<T>(Write(value));

    internal static byte[] Write<T>(T value) => Services.GetRequiredService<Serializer>().SerializeToArray(value);

    internal static T Read<T>(byte[] bytes) => Services.GetRequiredService<Serializer>().Deserialize<T>(bytes)!;

    private static void AssertTravels<T>(T value)
        where T : class
    {
        T there = Travel(value);
        Assert.NotSame(value, there);
        Assert.Equal(value.GetType(), there.GetType());
        Assert.Equal(Json(value), Json(there));
    }

    private static string Json(object value) => JsonSerializer.Serialize(value, value.GetType(), ConversationJson.Options);

    private static ServiceProvider Create()
    {
        var services = new ServiceCollection();
        services.AddSessionsCodec();
        return services.BuildServiceProvider();
    }
}
