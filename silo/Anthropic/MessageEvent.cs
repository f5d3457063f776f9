using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Anthropic;

/// <summary>One event of a streamed answer. Which of its fields it has follows from its type.</summary>
/// <param name="Type">Its type, which is the name of the event too.</param>
internal sealed record MessageEvent(string Type)
{
    /// <summary>The first: nothing is said yet.</summary>
    public Message? Message { get; init; }

    /// <summary>Which block of the answer.</summary>
    public int? Index { get; init; }

    /// <summary>A block that begins.</summary>
    public object? ContentBlock { get; init; }

    /// <summary>What is added to a block, or to the message.</summary>
    public object? Delta { get; init; }

    /// <summary>Tokens in and out, with the last delta.</summary>
    public DeltaUsage? Usage { get; init; }

    /// <summary>What the cache did, with the last delta.</summary>
    public KvTiersInfo? Kvtiers { get; init; }

    /// <summary>The answer begins.</summary>
    public static MessageEvent Start(Message message) => new("message_start") { Message = message };

    /// <summary>A sign of life.</summary>
    public static MessageEvent Ping { get; } = new("ping");

    /// <summary>A block begins.</summary>
    public static MessageEvent StartBlock(int index, object block) => new("content_block_start") { Index = index, ContentBlock = block };

    /// <summary>A block goes on.</summary>
    public static MessageEvent AddTo(int index, object delta) => new("content_block_delta") { Index = index, Delta = delta };

    /// <summary>A block is complete.</summary>
    public static MessageEvent StopBlock(int index) => new("content_block_stop") { Index = index };

    /// <summary>Nothing follows.</summary>
    public static MessageEvent Stop { get; } = new("message_stop");
}
