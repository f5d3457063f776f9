using System.Text.Json.Serialization;
using KvTiers.Conversations;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Responses;

/// <summary>A response, as it is created, streamed and read back.</summary>
internal sealed record Response
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>response</c>.</summary>
    public string Object => "response";

    /// <summary>Seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary><c>in_progress</c>, <c>completed</c>, <c>incomplete</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Always false: a response is computed while its caller waits.</summary>
    public bool Background => false;

    /// <summary>What went wrong; null = nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public ResponseError? Error { get; init; }

    /// <summary>Why it is incomplete; null = it is not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IncompleteDetails? IncompleteDetails { get; init; }

    /// <summary>The instructions; null = none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Instructions { get; init; }

    /// <summary>Most tokens to generate; null = as the server has it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public int? MaxOutputTokens { get; init; }

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>What was answered.</summary>
    public IReadOnlyList<object> Output { get; init; } = [];

    /// <summary>Whether several tools may be called at once.</summary>
    public bool ParallelToolCalls { get; init; } = true;

    /// <summary>The response that it follows; null = none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? PreviousResponseId { get; init; }

    /// <summary>The conversation that it is a turn of; null = none but its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public ConversationReference? Conversation { get; init; }

    /// <summary>Whether it is stored.</summary>
    public required bool Store { get; init; }

    /// <summary>How tokens were chosen.</summary>
    public required double Temperature { get; init; }

    /// <summary>How tokens were chosen.</summary>
    public required double TopP { get; init; }

    /// <summary>The format of the answer.</summary>
    public TextSettings Text { get; init; } = TextSettings.Plain;

    /// <summary>Which tools may be called.</summary>
    public object ToolChoice { get; init; } = "auto";

    /// <summary>The tools.</summary>
    public IReadOnlyList<object> Tools { get; init; } = [];

    /// <summary>Whether messages could be left out of the prompt to fit the context.</summary>
    public Truncation Truncation { get; init; } = Truncation.Disabled;

    /// <summary>Tokens in and out; null = not known yet.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public ResponseUsage? Usage { get; init; }

    /// <summary>Texts of the caller's, by name.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>What the cache did; null where the response is read back.</summary>
    public KvTiersInfo? Kvtiers { get; init; }

    /// <summary>A response that has only begun.</summary>
    public static Response Begin(ResponseId id, ResponseNote note, string model, bool store, string? conversation) => new()
    {
        Id = id.ToString(),
        CreatedAt = note.CreatedAt,
        Status = "in_progress",
        Instructions = note.Instructions,
        MaxOutputTokens = note.MaxOutputTokens,
        Model = model,
        PreviousResponseId = note.PreviousResponseId,
        Conversation = conversation is null ? null : new ConversationReference(conversation),
        Store = store,
        Temperature = note.Temperature,
        TopP = note.TopP,
        Text = note.Format is { } format ? new TextSettings(format) : TextSettings.Plain,
        ParallelToolCalls = note.ParallelToolCalls,
        ToolChoice = note.ToolChoice ?? (object)"auto",
        Tools = note.Tools ?? [],
        Truncation = note.Truncation ?? Truncation.Disabled,
        Metadata = note.Metadata,
    };

    /// <summary>The response with its answer.</summary>
    /// <param name="output">The answer's items.</param>
    /// <param name="finishReason"><c>stop</c> or <c>length</c>.</param>
    /// <param name="usage">Tokens in and out; null = not known.</param>
    public Response End(IReadOnlyList<object> output, string? finishReason, ResponseUsage? usage) => this with
    {
        Status = StatusOf(finishReason),
        IncompleteDetails = finishReason == "length" ? new IncompleteDetails("max_output_tokens") : null,
        Output = output,
        Usage = usage,
    };

    /// <summary>How a response and its last item stand.</summary>
    public static string StatusOf(string? finishReason) => finishReason == "length" ? "incomplete" : "completed";
}
