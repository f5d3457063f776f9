using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Silo.Http;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Responses;

/// <summary>Checks a request for a response. Every fault is a 400 that names the parameter.</summary>
internal static class ResponsesRules
{
    private const int MostMetadata = 16;
    private const int LongestName = 64;
    private const int LongestValue = 512;
    private const string Logprobs = "message.output_text.logprobs";

    // Of things that no answer of this server has.
    private static readonly string[] Harmless = ["reasoning.encrypted_content"];

    /// <summary>The request, checked.</summary>
    /// <exception cref="ApiException">Something is missing, out of range, or not supported.</exception>
    public static ResponsesCall Check(ResponsesRequest request, SamplingOptions defaults)
    {
        if (request.MaxOutputTokens < 1)
            throw ApiException.BadRequest($"'max_output_tokens' is {request.MaxOutputTokens}; it must be 1 or more.", "max_output_tokens");
        if (request.TopLogprobs is < 0 or > 20)
            throw ApiException.BadRequest($"'top_logprobs' is {request.TopLogprobs}; it must be from 0 to 20.", "top_logprobs");
        foreach (string include in request.Include ?? [])
            if (include != Logprobs && !Harmless.Contains(include)) throw ApiException.Unsupported("include", $"'{include}'");

        string? conversation = Conversation(request.Conversation);
        if (conversation is not null && request.PreviousResponseId is not null)
            throw ApiException.BadRequest("'previous_response_id' and 'conversation' cannot stand together.", "previous_response_id");
        if (conversation is not null && request.Store == false)
            throw ApiException.BadRequest("'store' must be true in a conversation, which stores its turns.", "store");
        IReadOnlyList<ChatMessage> input = InputItems.Read(request.Input);
        if (input.Count == 0 && conversation is null && request.PreviousResponseId is null)
            throw ApiException.BadRequest("'input' must hold at least one message.", "input");
        bool withLogprobs = request.TopLogprobs is not null || request.Include?.Contains(Logprobs) == true;
        SamplingOptions sampling = defaults with
        {
            Temperature = request.Temperature ?? defaults.Temperature,
            TopP = request.TopP ?? defaults.TopP,
            TopLogProbs = withLogprobs ? request.TopLogprobs ?? 0 : null,
        };
        sampling.Validate();
        return new ResponsesCall
        {
            Input = input,
            Instructions = request.Instructions,
            Sampling = sampling,
            MaxTokens = request.MaxOutputTokens,
            Stream = request.Stream ?? false,
            Store = request.Store ?? true,
            PreviousResponseId = request.PreviousResponseId,
            Conversation = conversation,
            Format = FormatRules.Check(request.Text?.Format),
            SentFormat = request.Text?.Format,
            Tools = FunctionRules.Check(request),
            SentTools = request.Tools ?? [],
            SentChoice = request.ToolChoice,
            Truncation = TruncationRules.Check(request.Truncation) ?? Truncation.Disabled,
            Metadata = Metadata(request.Metadata),
        };
    }

    private static string? Conversation(JsonElement? conversation)
    {
        string? id = conversation switch
        {
            null or { ValueKind: JsonValueKind.Null } => null,
            { ValueKind: JsonValueKind.String } text => text.GetString(),
            { ValueKind: JsonValueKind.Object } named when named.TryGetProperty("id", out JsonElement inner) && inner.ValueKind == JsonValueKind.String => inner.GetString(),
            { ValueKind: JsonValueKind.Object } => throw ApiException.BadRequest("'conversation.id' must be a string.", "conversation.id"),
            _ => throw ApiException.BadRequest("'conversation' must be the id of a conversation, or an object with its id.", "conversation"),
        };
        if (id is null) return null;
        try
        {
            ConversationKey.ValidateNew(id, "conversation");
            return id;
        }
        catch (ArgumentException e)
        {
            throw ApiException.BadRequest(WireNames.Message(e), "conversation", null, e);
        }
    }

    private static IReadOnlyDictionary<string, string> Metadata(IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null) return new Dictionary<string, string>();
        if (metadata.Count > MostMetadata) throw ApiException.BadRequest($"'metadata' has {metadata.Count} entries; it must have at most {MostMetadata}.", "metadata");
        foreach ((string name, string value) in metadata)
        {
            if (name.Length is 0 or > LongestName) throw ApiException.BadRequest($"'metadata' has a name of {name.Length} characters; it must have 1 to {LongestName}.", "metadata");
            if (value is null || value.Length > LongestValue) throw ApiException.BadRequest($"'metadata.{name}' must be a string of at most {LongestValue} characters.", $"metadata.{name}");
        }

        return metadata;
    }
}
