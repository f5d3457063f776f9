using System.Text;
using System.Text.Json;
using KvTiers.Conversations;
using Microsoft.Extensions.AI;

namespace KvTiers.Client.Chat;

/// <summary>Puts the calls of an answer together, of one piece or many.</summary>
internal sealed class CalledFunctions
{
    private readonly SortedDictionary<int, Call> _calls = [];

    public void Add(IEnumerable<ChatPieceCall>? pieces)
    {
        foreach (ChatPieceCall piece in pieces ?? [])
        {
            if (!_calls.TryGetValue(piece.Index, out Call? call))
                _calls[piece.Index] = call = new Call();
            call.Id ??= piece.Id;
            call.Name ??= piece.Function?.Name;
            call.Arguments.Append(piece.Function?.Arguments);
        }
    }

    /// <summary>The calls so far, in their order, and forgets them; null when one of them has no id or no name.</summary>
    public IReadOnlyList<AIContent>? Take()
    {
        Call[] calls = [.. _calls.Values];
        _calls.Clear();
        return calls.All(call => call is { Id: not null, Name: not null }) ? [.. calls.Select(ToContent)] : null;
    }

    // Arguments that are no JSON object, as those of an answer that was cut off, are the content's own exception.
    private static FunctionCallContent ToContent(Call call) =>
        FunctionCallContent.CreateFromParsedArguments(call.Arguments.ToString(), call.Id!, call.Name!, static text =>
            JsonSerializer.Deserialize<Dictionary<string, object?>>(text.Length == 0 ? "{}" : text, ConversationJson.Options));

    private sealed class Call
    {
        public string? Id { get; set; }

        public string? Name { get; set; }

        public StringBuilder Arguments { get; } = new();
    }
}
