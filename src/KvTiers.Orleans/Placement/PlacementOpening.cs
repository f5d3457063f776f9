using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Placement;

/// <summary>The beginning of a call's conversation, which placement compares with what silos hold. It travels beside the call, because whoever places a grain does not see the call.</summary>
[GenerateSerializer]
[Immutable]
[Alias("kvt.opening")]
internal sealed class PlacementOpening
{
    internal const string RequestKey = "kvtiers.opening";

    // A run of some thousand tokens tells silos apart; the rest of a long history need not travel twice.
    private const int MaxCharacters = 16_384;

    [Id(0)]
    public required string[] Roles { get; init; }

    [Id(1)]
    public required string[] Contents { get; init; }

    /// <summary>The functions that the answer may call, as over HTTP; null = none, or more than need to travel twice.</summary>
    [Id(2)]
    public string? Tools { get; init; }

    /// <summary>The functions.</summary>
    public IReadOnlyList<ToolDefinition>? Definitions => Tools is null ? null : JsonSerializer.Deserialize<ToolDefinition[]>(Tools, ConversationJson.Options);

    /// <summary>The messages.</summary>
    public IReadOnlyList<ChatMessage> Messages => [.. Roles.Zip(Contents, (role, content) => new ChatMessage(role, content))];

    /// <summary>Whole messages from the first, so many as fit; of a first one that is too long, its beginning. Null when there is none.</summary>
    public static PlacementOpening? Of(IReadOnlyList<ChatMessage>? messages, IReadOnlyList<ToolDefinition>? tools = null)
    {
        if (messages is not [{ Role: not null, Content: not null } first, ..])
            return null;
        string? written = tools is { Count: > 0 } && JsonSerializer.Serialize(tools, ConversationJson.Options) is { Length: <= MaxCharacters } json ? json : null;
        if (first.Content.Length > MaxCharacters)
            return new() { Roles = [first.Role], Contents = [Cut(first.Content)], Tools = written };
        int count = 1;
        int characters = first.Content.Length;
        while (count < messages.Count && messages[count] is { Role: not null, Content: not null } next && (characters += next.Content.Length) <= MaxCharacters)
            count++;
        return new()
        {
            Roles = [.. messages.Take(count).Select(message => message.Role)],
            Contents = [.. messages.Take(count).Select(message => message.Content)],
            Tools = written,
        };
    }

    /// <summary>What came beside the call that is being placed; null when nothing did.</summary>
    public static PlacementOpening? From(IReadOnlyDictionary<string, object>? request) =>
        request is not null && request.TryGetValue(RequestKey, out object? value) && value is PlacementOpening { Roles: not null, Contents: not null } opening ? opening : null;

    /// <summary>Goes beside the calls made until the result is disposed.</summary>
    public static Told Tell(PlacementOpening? opening)
    {
        if (opening is not null)
            RequestContext.Set(RequestKey, opening);
        return new(opening is not null);
    }

    private static string Cut(string text) => text[..(char.IsHighSurrogate(text[MaxCharacters - 1]) ? MaxCharacters - 1 : MaxCharacters)];

    /// <summary>Takes the opening back.</summary>
    internal readonly struct Told(bool isSet) : IDisposable
    {
        public void Dispose()
        {
            if (isSet)
                RequestContext.Remove(RequestKey);
        }
    }
}
