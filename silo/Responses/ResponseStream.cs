using KvTiers.Silo.Http;
using KvTiers.Silo.OpenAi;

namespace KvTiers.Silo.Responses;

/// <summary>Writes a response as events: it is created, its items come one after the other, it ends.</summary>
internal sealed class ResponseStream(SseWriter sse, Response begun)
{
    private int _next;
    private string _itemId = "";
    private int _outputIndex = -1;

    /// <summary>The response begins.</summary>
    public async ValueTask StartAsync()
    {
        await SendAsync(Event("response.created") with { Response = begun });
        await SendAsync(Event("response.in_progress") with { Response = begun });
    }

    /// <summary>A message begins.</summary>
    public async ValueTask OpenMessageAsync(string id)
    {
        _itemId = id;
        await SendAsync(Event("response.output_item.added") with { OutputIndex = ++_outputIndex, Item = new MessageItem(id, "in_progress", "assistant", []) });
        await SendAsync(OfPart("response.content_part.added") with { Part = new OutputText("", []) });
    }

    /// <summary>Text is added to the message.</summary>
    public ValueTask AddAsync(string text, IReadOnlyList<ChatTokenLogprob> logprobs) =>
        SendAsync(OfPart("response.output_text.delta") with { Delta = text, Logprobs = logprobs });

    /// <summary>The message is complete.</summary>
    public async ValueTask CloseMessageAsync(MessageItem message)
    {
        var text = (OutputText)message.Content[0];
        await SendAsync(OfPart("response.output_text.done") with { Text = text.Text, Logprobs = text.Logprobs });
        await SendAsync(OfPart("response.content_part.done") with { Part = text });
        await SendAsync(Event("response.output_item.done") with { OutputIndex = _outputIndex, Item = message });
    }

    /// <summary>A call begins.</summary>
    public ValueTask OpenCallAsync(FunctionCallItem call)
    {
        _itemId = call.Id;
        return SendAsync(Event("response.output_item.added") with { OutputIndex = ++_outputIndex, Item = call });
    }

    /// <summary>The call's arguments go on.</summary>
    public ValueTask AddArgumentsAsync(string piece) =>
        SendAsync(Event("response.function_call_arguments.delta") with { ItemId = _itemId, OutputIndex = _outputIndex, Delta = piece });

    /// <summary>The call is complete.</summary>
    public async ValueTask CloseCallAsync(FunctionCallItem call)
    {
        await SendAsync(Event("response.function_call_arguments.done") with { ItemId = _itemId, OutputIndex = _outputIndex, Name = call.Name, Arguments = call.Arguments });
        await SendAsync(Event("response.output_item.done") with { OutputIndex = _outputIndex, Item = call });
    }

    /// <summary>The response ends, with its status in the event's name.</summary>
    public ValueTask StopAsync(Response response) => SendAsync(Event("response." + response.Status) with { Response = response });

    /// <summary>The event that ends the stream with an error.</summary>
    public ResponseEvent Failed(ApiError error) =>
        Event("response.failed") with { Response = begun with { Status = "failed", Error = new ResponseError(error.Code ?? error.Type, error.Message) } };

    private ResponseEvent Event(string type) => new(type, _next++);

    private ResponseEvent OfPart(string type) => Event(type) with { ItemId = _itemId, OutputIndex = _outputIndex, ContentIndex = 0 };

    private ValueTask SendAsync(ResponseEvent sent) => sse.WriteAsync(sent, sent.Type);
}
