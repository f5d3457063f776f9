using System.Text;
using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Anthropic;

/// <summary>Puts messages of blocks together to a chat, and notes where breakpoints stand in it.</summary>
/// <remarks>
/// The text blocks of a message follow each other without anything between them. Two messages in a row of the same role become one, with an
/// empty line between them, because chat templates want roles to alternate. A result of a tool is a message of its own. Blocks of thinking are left out.
/// </remarks>
internal sealed class PromptBuilder
{
    private const int MostBreakpoints = 4;
    private const string BetweenMessages = "\n\n";
    private const string Failed = "Error: ";

    private readonly List<ChatMessage> _messages = [];
    private readonly List<CacheBreakpoint> _breakpoints = [];
    private readonly List<ToolCall> _calls = [];
    private readonly StringBuilder _text = new();
    private string? _role;
    private bool _isBegun;

    /// <summary>Adds a message.</summary>
    /// <param name="role">The role, as the chat template knows it.</param>
    /// <param name="content">A string, or a list of blocks.</param>
    /// <param name="param">Where the content stands in the request.</param>
    /// <exception cref="ApiException">400: it is neither, or a block is not supported.</exception>
    public void Add(string role, JsonElement? content, string param)
    {
        if (role != _role || _calls.Count > 0) Close();
        else if (_text.Length > 0) _text.Append(BetweenMessages);
        _role = role;
        _isBegun = true;
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

    /// <summary>Marks a breakpoint after what was added last; before anything was, at the beginning of the first message's content, where the tools are told of.</summary>
    /// <param name="control">The request's <c>cache_control</c>; null = none.</param>
    /// <param name="param">Where it stands in the request.</param>
    /// <exception cref="ApiException">400: it is not understood, or one too many.</exception>
    public void Mark(JsonElement? control, string param)
    {
        if (control is not { ValueKind: not JsonValueKind.Null } given) return;

        // After a result of a tool nothing is open; it is the last message.
        bool isClosed = !_isBegun && _messages.Count > 0;
        CacheBreakpoint breakpoint = isClosed
            ? new CacheBreakpoint(_messages.Count - 1, _messages[^1].Content.Length, TimeToLive(given, param))
            : new CacheBreakpoint(_messages.Count, _text.Length, TimeToLive(given, param));
        if (_breakpoints.Count > 0 && _breakpoints[^1] is { } last && last.Message == breakpoint.Message && last.Length == breakpoint.Length)
            _breakpoints.RemoveAt(_breakpoints.Count - 1);
        else if (_breakpoints.Count == MostBreakpoints)
            throw ApiException.BadRequest($"'{param}' is one breakpoint too many: a request may have {MostBreakpoints} blocks with cache_control.", param);
        _breakpoints.Add(breakpoint);
    }

    /// <summary>The whole prompt.</summary>
    /// <param name="tools">The functions that may be called; null = none.</param>
    public Prompt Build(ToolUse? tools)
    {
        Close();
        return new Prompt(_messages, _breakpoints, tools);
    }

    private void AddBlock(JsonElement block, string at)
    {
        if (block.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        if (!block.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String)
            throw ApiException.BadRequest($"'{at}.type' must be a string.", $"{at}.type");
        switch (type.GetString())
        {
            case "text":
                ContentBlocks.Check(block, at, "text", "citations", "cache_control");
                _text.Append(ContentBlocks.Text(block, "text", at));
                break;
            case "thinking" or "redacted_thinking" when _role == "assistant":
                ContentBlocks.Check(block, at, "thinking", "signature", "data");
                return;
            case "tool_use" when _role == "assistant":
                ContentBlocks.Check(block, at, "id", "name", "input", "caller", "cache_control");
                _calls.Add(new ToolCall(ContentBlocks.Text(block, "id", at), ContentBlocks.Text(block, "name", at), Input(block, at)));
                break;
            case "tool_result" when _role == "user":
                ContentBlocks.Check(block, at, "tool_use_id", "content", "is_error", "cache_control");
                AddResult(block, at);
                break;
            default:
                throw ApiException.Unsupported(at, $"content of type '{type.GetString()}' in a message of the role '{_role}'");
        }

        _isBegun |= type.GetString() != "tool_result";
        if (block.TryGetProperty("cache_control", out JsonElement control)) Mark(control, $"{at}.cache_control");
    }

    private void AddResult(JsonElement block, string at)
    {
        string role = _role!;
        _isBegun = _text.Length > 0;
        Close();
        bool isError = block.TryGetProperty("is_error", out JsonElement error) && error.ValueKind == JsonValueKind.True;
        _messages.Add(new ChatMessage("tool", (isError ? Failed : "") + ContentBlocks.Texts(block, "content", at)) { ToolCallId = ContentBlocks.Text(block, "tool_use_id", at) });
        _role = role;
    }

    private static string Input(JsonElement block, string at) =>
        block.TryGetProperty("input", out JsonElement input) && input.ValueKind == JsonValueKind.Object
            ? input.GetRawText()
            : throw ApiException.BadRequest($"'{at}.input' must be an object.", $"{at}.input");

    private void Close()
    {
        if (_isBegun) _messages.Add(new ChatMessage(_role!, _text.ToString()) { ToolCalls = _calls.Count > 0 ? [.. _calls] : null });
        _role = null;
        _isBegun = false;
        _text.Clear();
        _calls.Clear();
    }

    private static TimeSpan TimeToLive(JsonElement control, string at)
    {
        if (control.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        if (!control.TryGetProperty("type", out JsonElement type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("ephemeral"))
            throw ApiException.BadRequest($"'{at}.type' must be 'ephemeral'.", $"{at}.type");
        ContentBlocks.Check(control, at, "ttl");
        if (!control.TryGetProperty("ttl", out JsonElement ttl) || ttl.ValueKind == JsonValueKind.Null) return CacheTtl.Short;
        return ttl.ValueKind != JsonValueKind.String ? throw Bad()
            : ttl.ValueEquals("5m") ? CacheTtl.Short
            : ttl.ValueEquals("1h") ? CacheTtl.Long
            : throw Bad();

        ApiException Bad() => ApiException.BadRequest($"'{at}.ttl' must be '5m' or '1h'.", $"{at}.ttl");
    }
}
