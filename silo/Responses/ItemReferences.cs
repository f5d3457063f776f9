using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Responses;

/// <summary>Puts stored items in the place of those that an input only names: <c>{"type":"item_reference","id":"msg_…"}</c>.</summary>
internal sealed class ItemReferences(ResponseStore store, string tenant)
{
    private readonly Dictionary<string, ConversationView?> _conversations = [];

    /// <summary>The input with every item in full.</summary>
    /// <exception cref="ApiException">404: there is no such item.</exception>
    public async Task<JsonElement?> ResolveAsync(JsonElement? input, CancellationToken cancellationToken)
    {
        if (input is not { ValueKind: JsonValueKind.Array } items || !items.EnumerateArray().Any(IsReference)) return input;
        var resolved = new JsonArray();
        int index = 0;
        foreach (JsonElement item in items.EnumerateArray())
        {
            resolved.Add(IsReference(item) ? await FindAsync(item, $"input[{index}].id", cancellationToken) : JsonNode.Parse(item.GetRawText()));
            index++;
        }

        return JsonSerializer.SerializeToElement(resolved);
    }

    private static bool IsReference(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("item_reference");

    private async Task<JsonNode> FindAsync(JsonElement reference, string at, CancellationToken cancellationToken)
    {
        if (!reference.TryGetProperty("id", out JsonElement given) || given.ValueKind != JsonValueKind.String)
            throw ApiException.BadRequest($"'{at}' must be a string.", at);
        string id = SiloJson.Text(given, at);
        foreach (string conversation in Conversations(id))
        {
            var response = new ResponseId(conversation, null);
            foreach (MessageView message in (await ViewAsync(conversation, cancellationToken))?.Messages ?? [])
                if (Items.Of(response, message).FirstOrDefault(item => item.Id == id) is { } found) return JsonSerializer.SerializeToNode<object>(found, ConversationJson.Options)!;
        }

        throw ApiException.NotFound($"There is no stored item '{id}'.", at, "item_not_found");
    }

    // msg_STEM_MESSAGE or fc_STEM_MESSAGE_CALL: the stem is a response's, or a named conversation's.
    private static IEnumerable<string> Conversations(string id)
    {
        string[] parts = id.Split('_');
        int numbers = parts[0] switch { "msg" => 1, "fc" => 2, _ => 0 };
        if (numbers == 0 || parts.Length < numbers + 2 || !parts[^numbers..].All(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _))) return [];
        string stem = string.Join('_', parts[1..^numbers]);
        return new[] { "resp_" + stem, stem }.Where(IsKey);
    }

    private static bool IsKey(string conversation)
    {
        try
        {
            ConversationKey.Validate(conversation, "id");
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private async Task<ConversationView?> ViewAsync(string conversation, CancellationToken cancellationToken)
    {
        if (!_conversations.TryGetValue(conversation, out ConversationView? view))
            _conversations.Add(conversation, view = await store.FindConversationAsync(tenant, conversation, cancellationToken));
        return view;
    }
}
