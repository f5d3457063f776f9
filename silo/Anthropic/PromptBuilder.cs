using System.Text;
using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Anthropic;

/// <summary>Puts messages of blocks together to a chat, and notes where breakpoints stand in it.</summary>
/// <remarks>
/// The text blocks of a message follow each other without anything between them. Two messages in a row of the same role become one, with an
/// empty line between them, because chat templates want roles to alternate. Blocks of thinking are left out.
/// </remarks>
internal sealed class PromptBuilder
{
    private const int MostBreakpoints = 4;
    private const string BetweenMessages = "\n\n";

    private readonly List<ChatMessage> _messages = [];
    private readonly List<CacheBreakpoint> _breakpoints = [];
    private readonly StringBuilder _text = new();
    private string? _role;

    /// <summary>Adds a message.</summary>
    /// <param name="role">The role, as the chat template knows it.</param>
    /// <param name="content">A string, or a list of blocks.</param>
    /// <param name="param">Where the content stands in the request.</param>
    /// <exception cref="ApiException">400: it is neither, or a block is not supported.</exception>
    public void Add(string role, JsonElement? content, string param)
    {
        if (role == _role) _text.Append(BetweenMessages);
        else Close();
        _role = role;
        switch (content)
        {
            case { ValueKind: JsonValueKind.String } text:
                _text.Append(SiloJson.Text(text, param));
                break;
            case { ValueKind: JsonValueKind.Array } blocks:
                int index = 0;
                foreach (JsonElement block in blocks.EnumerateArray()) AddBlock(block, $"{param}[{index++}]");
                break;
            default:
                throw ApiException.BadRequest($"'{param}' must be a string or a list of content blocks.", param);
        }
    }

    /// <summary>Marks a breakpoint after what was added last.</summary>
    /// <param name="control">The request's <c>cache_control</c>; null = none.</param>
    /// <param name="param">Where it stands in the request.</param>
    /// <exception cref="ApiException">400: it is not understood, or one too many.</exception>
    public void Mark(JsonElement? control, string param)
    {
        if (control is not { ValueKind: not JsonValueKind.Null } given) return;
        var breakpoint = new CacheBreakpoint(_messages.Count, _text.Length, TimeToLive(given, param));
        if (_breakpoints.Count > 0 && _breakpoints[^1] is { } last && last.Message == breakpoint.Message && last.Length == breakpoint.Length)
            _breakpoints.RemoveAt(_breakpoints.Count - 1);
        else if (_breakpoints.Count == MostBreakpoints)
            throw ApiException.BadRequest($"'{param}' is one breakpoint too many: a request may have {MostBreakpoints} blocks with cache_control.", param);
        _breakpoints.Add(breakpoint);
    }

    /// <summary>The whole prompt.</summary>
    public Prompt Build()
    {
        Close();
        return new Prompt(_messages, _breakpoints);
    }

    private void AddBlock(JsonElement block, string at)
    {
        if (block.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        if (!block.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String)
            throw ApiException.BadRequest($"'{at}.type' must be a string.", $"{at}.type");
        switch (type.GetString())
        {
            case "text":
                _text.Append(ContentBlocks.Text(block, "text", at));
                break;
            case "thinking" or "redacted_thinking" when _role == "assistant":
                return;
            default:
                throw ApiException.Unsupported(at, $"content of type '{type.GetString()}'");
        }

        if (block.TryGetProperty("cache_control", out JsonElement control)) Mark(control, $"{at}.cache_control");
    }

    private void Close()
    {
        if (_role is not null) _messages.Add(new ChatMessage(_role, _text.ToString()));
        _role = null;
        _text.Clear();
    }

    private static TimeSpan TimeToLive(JsonElement control, string at)
    {
        if (control.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        if (!control.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("ephemeral"))
            throw ApiException.BadRequest($"'{at}.type' must be 'ephemeral'.", $"{at}.type");
        if (!control.TryGetProperty("ttl", out JsonElement ttl) || ttl.ValueKind == JsonValueKind.Null) return CacheTtl.Short;
        return ttl.ValueKind != JsonValueKind.String ? throw Bad()
            : ttl.ValueEquals("5m") ? CacheTtl.Short
            : ttl.ValueEquals("1h") ? CacheTtl.Long
            : throw Bad();

        ApiException Bad() => ApiException.BadRequest($"'{at}.ttl' must be '5m' or '1h'.", $"{at}.ttl");
    }
}
