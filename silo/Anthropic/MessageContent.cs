using System.Text;

namespace KvTiers.Silo.Anthropic;

/// <summary>Gathers an answer's blocks, in order: text, and calls of tools.</summary>
internal sealed class MessageContent
{
    private readonly List<object> _blocks = [];
    private readonly StringBuilder _text = new();
    private (string Id, string Name)? _call;

    /// <summary>Adds text.</summary>
    public void Add(string text)
    {
        if (_call is not null) Close();
        _text.Append(text);
    }

    /// <summary>A call begins.</summary>
    public void Begin(string id, string name)
    {
        Close();
        _call = (id, name);
    }

    /// <summary>Adds to the call's arguments.</summary>
    public void AddArguments(string piece) => _text.Append(piece);

    /// <summary>The blocks. Text that is empty makes none.</summary>
    public IReadOnlyList<object> Take()
    {
        Close();
        return _blocks;
    }

    private void Close()
    {
        if (_call is { } call) _blocks.Add(ToolUseBlock.Of(call.Id, call.Name, _text.ToString()));
        else if (_text.Length > 0) _blocks.Add(new TextBlock(_text.ToString()));
        _call = null;
        _text.Clear();
    }
}
