using System.Threading.Channels;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Tests.Streaming;

/// <summary>A turn whose events come when the test says so.</summary>
internal sealed class ScriptedTurn
{
    private readonly Channel<TurnEvent> _events = Channel.CreateUnbounded<TurnEvent>();

    public static TurnStarted Started { get; } = new() { Conversation = "c", PromptTokens = 3 };

    public static TurnCompleted Completed { get; } = new()
    {
        Conversation = "c",
        Version = 2,
        Message = new() { Index = 1, Role = "assistant", Content = "Hello", TokenStart = 5, TokenCount = 6 },
        FinishReason = "stop",
        Usage = new() { PromptTokens = 3, CompletionTokens = 2, Cached = new(), ComputedTokens = 3, InvalidatedTokens = 0, TtftMs = 1, TotalMs = 2 },
    };

    /// <summary>Whether the turn was left, or its token cancelled.</summary>
    public bool HasEnded { get; private set; }

    public static TurnToken Token(int id) => new() { TokenId = id, Text = $"t{id}" };

    public void Report(params TurnEvent[] events)
    {
        foreach (TurnEvent one in events)
            Assert.True(_events.Writer.TryWrite(one));
        if (events is [.., TurnCompleted])
            _events.Writer.Complete();
    }

    public void Fail(Exception exception) => _events.Writer.Complete(exception);

    public async IAsyncEnumerable<TurnEvent> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (TurnEvent one in _events.Reader.ReadAllAsync(cancellationToken))
                yield return one;
        }
        finally
        {
            HasEnded = true;
        }
    }
}
