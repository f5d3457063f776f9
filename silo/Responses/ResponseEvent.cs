using KvTiers.Silo.OpenAi;

namespace KvTiers.Silo.Responses;

/// <summary>One event of a streamed response. Which of its fields it has follows from its type.</summary>
/// <param name="Type">Its type, which is the name of the event too.</param>
/// <param name="SequenceNumber">Its place in the stream, from 0.</param>
internal sealed record ResponseEvent(string Type, int SequenceNumber)
{
    /// <summary>The response as it stands.</summary>
    public Response? Response { get; init; }

    /// <summary>Which item of the output.</summary>
    public int? OutputIndex { get; init; }

    /// <summary>Which part of the item.</summary>
    public int? ContentIndex { get; init; }

    /// <summary>The item's id.</summary>
    public string? ItemId { get; init; }

    /// <summary>An item that begins or is complete.</summary>
    public object? Item { get; init; }

    /// <summary>A part that begins or is complete.</summary>
    public object? Part { get; init; }

    /// <summary>What is added.</summary>
    public string? Delta { get; init; }

    /// <summary>A whole text.</summary>
    public string? Text { get; init; }

    /// <summary>All arguments of a call.</summary>
    public string? Arguments { get; init; }

    /// <summary>The name of the function that is called.</summary>
    public string? Name { get; init; }

    /// <summary>Log probabilities of what is added, or of the whole text; empty = not asked for.</summary>
    public IReadOnlyList<ChatTokenLogprob>? Logprobs { get; init; }
}
