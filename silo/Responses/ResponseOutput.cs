using System.Text;
using KvTiers.Silo.OpenAi;

namespace KvTiers.Silo.Responses;

/// <summary>Gathers an answer's items as they come, and passes them on to a stream where there is one.</summary>
/// <param name="id">The response.</param>
/// <param name="index">Index of the answer among the conversation's messages.</param>
/// <param name="stream">Where the items go as they come; null = nowhere.</param>
internal sealed class ResponseOutput(ResponseId id, int index, ResponseStream? stream)
{
    private readonly List<object> _items = [];
    private readonly StringBuilder _text = new();
    private readonly List<ChatTokenLogprob> _logprobs = [];
    private (string Id, string CallId, string Name)? _call;
    private bool _isMessage;
    private int _calls;

    /// <summary>Adds text.</summary>
    public async ValueTask AddAsync(string text, IReadOnlyList<ChatTokenLogprob> logprobs)
    {
        if (!_isMessage)
        {
            await CloseAsync("completed");
            _isMessage = true;
            if (stream is not null) await stream.OpenMessageAsync(id.Item(index));
        }

        _text.Append(text);
        _logprobs.AddRange(logprobs);
        if (stream is not null && (text.Length > 0 || logprobs.Count > 0)) await stream.AddAsync(text, logprobs);
    }

    /// <summary>A call begins.</summary>
    public async ValueTask BeginAsync(string callId, string name)
    {
        await CloseAsync("completed");
        _call = (id.Call(index, _calls++), callId, name);
        if (stream is not null) await stream.OpenCallAsync(Call("in_progress"));
    }

    /// <summary>Adds to the call's arguments.</summary>
    public ValueTask AddArgumentsAsync(string piece)
    {
        _text.Append(piece);
        return stream?.AddArgumentsAsync(piece) ?? ValueTask.CompletedTask;
    }

    /// <summary>The items. An answer that says nothing is an empty message.</summary>
    /// <param name="status">How the last of them stands.</param>
    public async ValueTask<IReadOnlyList<object>> EndAsync(string status)
    {
        if (_items.Count == 0 && _call is null) await AddAsync("", []);
        await CloseAsync(status);
        return _items;
    }

    private async ValueTask CloseAsync(string status)
    {
        if (_isMessage)
        {
            var message = new MessageItem(id.Item(index), status, "assistant", [new OutputText(_text.ToString(), [.. _logprobs])]);
            _items.Add(message);
            if (stream is not null) await stream.CloseMessageAsync(message);
        }
        else if (_call is not null)
        {
            FunctionCallItem call = Call(status);
            _items.Add(call);
            if (stream is not null) await stream.CloseCallAsync(call);
        }

        (_isMessage, _call) = (false, null);
        _text.Clear();
        _logprobs.Clear();
    }

    private FunctionCallItem Call(string status) => new(_call!.Value.Id, status, _call.Value.CallId, _call.Value.Name, _text.ToString());
}
