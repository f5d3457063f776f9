using KvTiers.Silo.Http;

namespace KvTiers.Silo.Anthropic;

/// <summary>Writes an answer as events: the message begins, its blocks one after the other, the message ends.</summary>
internal sealed class MessageStream(SseWriter sse)
{
    private int _index = -1;
    private bool _isText;
    private bool _isOpen;

    /// <summary>The message begins.</summary>
    public async ValueTask StartAsync(Message message)
    {
        await SendAsync(MessageEvent.Start(message));
        await SendAsync(MessageEvent.Ping);
    }

    /// <summary>Text follows, in the block of text that is open or in a new one.</summary>
    public async ValueTask AddAsync(string text)
    {
        if (!_isOpen || !_isText) await OpenAsync(new TextBlock(""), isText: true);
        await SendAsync(MessageEvent.AddTo(_index, new TextDelta(text)));
    }

    /// <summary>A call of a tool begins.</summary>
    public ValueTask BeginAsync(string id, string name) => OpenAsync(ToolUseBlock.Begin(id, name), isText: false);

    /// <summary>The call's arguments go on.</summary>
    public ValueTask AddArgumentsAsync(string piece) => SendAsync(MessageEvent.AddTo(_index, new InputDelta(piece)));

    /// <summary>The message ends.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="usage">Its tokens.</param>
    public async ValueTask StopAsync(Message message, DeltaUsage usage)
    {
        await CloseAsync();
        await SendAsync(new MessageEvent("message_delta") { Delta = new MessageDelta(message.StopReason!, message.StopSequence), Usage = usage, Kvtiers = message.Kvtiers });
        await SendAsync(MessageEvent.Stop);
    }

    private async ValueTask OpenAsync(object block, bool isText)
    {
        await CloseAsync();
        (_isOpen, _isText) = (true, isText);
        await SendAsync(MessageEvent.StartBlock(++_index, block));
    }

    private async ValueTask CloseAsync()
    {
        if (_isOpen) await SendAsync(MessageEvent.StopBlock(_index));
        _isOpen = false;
    }

    private ValueTask SendAsync(MessageEvent sent) => sse.WriteAsync(sent, sent.Type);
}
