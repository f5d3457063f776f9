using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using KvTiers.Cli.Tests.Http;

namespace KvTiers.Cli.Tests.Chat;

/// <summary>
/// A server with one conversation that answers "You said: …", one token a word: a message of n words is n tokens, and what an earlier prompt or answer
/// began with is cached.
/// </summary>
internal sealed class EchoServer
{
    private readonly List<(string Role, string Content)> _messages = [];
    private readonly Stack<(string Role, string Content)[]> _undo = new();
    private string _id = "c1";
    private List<string> _log = [];
    private int _version;

    public EchoServer() => Handler = new FakeServer(Answer);

    public FakeServer Handler { get; }

    /// <summary>Streams stay open without their end while this is set.</summary>
    public bool Hangs { get; set; }

    /// <summary>Completes when a stream without end was begun.</summary>
    public TaskCompletionSource Hanging { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HttpResponseMessage Answer(FakeRequest request)
    {
        string[] path = request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (path is ["readyz"])
            return FakeServer.Json("{}");
        if (path is ["v1", "conversations"] && request.Method == "GET")
            return FakeServer.Json(new JsonObject { ["object"] = "list", ["data"] = new JsonArray(Summary(_id), Summary("another")), ["has_more"] = false }.ToJsonString());
        if (path is ["v1", "conversations"])
        {
            _messages.Clear();
            _log = [];
            foreach (JsonNode? message in request.Body!["messages"]?.AsArray() ?? [])
                _messages.Add(((string)message!["role"]!, (string)message["content"]!));
            return View();
        }

        if (path[2] != _id)
            return FakeServer.Error(HttpStatusCode.NotFound, "", "invalid_request_error", "conversation_not_found");
        return path[3..] switch
        {
            [] => View(),
            ["turns"] => Turn(request.Body!),
            ["regenerate"] => Regenerate(),
            ["undo"] => Undo(),
            ["messages", var first] => Truncate(int.Parse(first)),
            ["fork"] => Fork((int?)request.Body!["at"]),
            ["explain"] => FakeServer.Json(
                """{"conversation":"c1","version":1,"reason":"appended","prompt_tokens":3,"cached_tokens":2,"computed_tokens":1,"cost_tokens":0,"cost_seconds":0,"text":"Everything known was found."}"""),
            _ => throw new InvalidOperationException(request.Path),
        };
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private HttpResponseMessage Turn(JsonObject body)
    {
        List<(string, string)> sent = [.. body["messages"]!.AsArray().Select(message => ((string)message!["role"]!, (string)message["content"]!))];
        if (sent[^1].Item2 == "boom")
            return FakeServer.Error(HttpStatusCode.BadRequest, "boom cannot\nbe said.", "invalid_request_error", null, "messages");
        bool history = (string?)body["mode"] == "history";
        if (history && (int?)body["expected_version"] is { } expected && expected != _version)
            return FakeServer.Error(HttpStatusCode.Conflict, $"The conversation stands at version {_version}.", "invalid_request_error", "conversation_conflict");
        _undo.Push([.. _messages]);
        if (history)
            _messages.Clear();
        _messages.AddRange(sent);
        return Generate(history);
    }

    private HttpResponseMessage Regenerate()
    {
        _undo.Push([.. _messages]);
        _messages.RemoveAt(_messages.Count - 1);
        return Generate(true);
    }

    private HttpResponseMessage Generate(bool edited)
    {
        string[] prompt = [.. _messages.SelectMany(message => Words(message.Content))];
        int cached = Math.Min(prompt.Zip(_log).TakeWhile(pair => pair.First == pair.Second).Count(), prompt.Length - 1);
        int invalidated = _log.Count - prompt.Zip(_log).TakeWhile(pair => pair.First == pair.Second).Count();
        string answer = $"You said: {_messages[^1].Content}";
        JsonObject started = new() { ["type"] = "started", ["conversation"] = _id, ["prompt_tokens"] = prompt.Length };
        if (edited)
            started["edit"] = Receipt(_log.Count - invalidated, invalidated);
        _messages.Add(("assistant", answer));
        _log = [.. prompt, .. Words(answer)];
        List<string> events = [started.ToJsonString()];
        events.AddRange(Words(answer).Select((word, i) =>
            new JsonObject { ["type"] = "token", ["token_id"] = i, ["text"] = i == 0 ? word : " " + word }.ToJsonString()));
        if (Hangs)
        {
            Hanging.TrySetResult();
            return FakeServer.Stream(new SilentStream(Encoding.UTF8.GetBytes(string.Concat(events.Select(data => $"data: {data}\n\n")))));
        }

        events.Add(new JsonObject
        {
            ["type"] = "completed",
            ["conversation"] = _id,
            ["version"] = ++_version,
            ["message"] = Message(_messages.Count - 1),
            ["finish_reason"] = "stop",
            ["usage"] = new JsonObject
            {
                ["prompt_tokens"] = prompt.Length,
                ["completion_tokens"] = Words(answer).Length,
                ["cached"] = new JsonObject { ["hot"] = cached },
                ["computed_tokens"] = prompt.Length - cached,
                ["invalidated_tokens"] = edited ? invalidated : 0,
                ["ttft_ms"] = 6,
                ["total_ms"] = 9,
            },
        }.ToJsonString());
        events.Add("[DONE]");
        return FakeServer.Events(events);
    }

    private HttpResponseMessage Undo()
    {
        if (!_undo.TryPop(out (string, string)[]? before))
            return FakeServer.Error(HttpStatusCode.Conflict, "There is nothing to undo.", "invalid_request_error", "conversation_conflict");
        _messages.Clear();
        _messages.AddRange(before);
        _version++;
        return FakeServer.Json(Receipt(2, 5).ToJsonString());
    }

    private HttpResponseMessage Truncate(int first)
    {
        _undo.Push([.. _messages]);
        _messages.RemoveRange(first, _messages.Count - first);
        _version++;
        return FakeServer.Json(Receipt(1, 9).ToJsonString());
    }

    private JsonObject Summary(string id) => new()
    {
        ["id"] = id,
        ["version"] = _version,
        ["title"] = id == _id && _messages.Count > 0 ? _messages[0].Content : "",
        ["message_count"] = id == _id ? _messages.Count : 0,
        ["token_count"] = 1234,
        ["created_at"] = "2026-01-02T03:04:05+00:00",
        ["updated_at"] = "2026-01-02T03:04:05+00:00",
    };

    private HttpResponseMessage Fork(int? at)
    {
        _id = "c2";
        if (at is { } kept)
            _messages.RemoveRange(kept, _messages.Count - kept);
        return View();
    }

    private HttpResponseMessage View() => FakeServer.Json(new JsonObject
    {
        ["id"] = _id,
        ["version"] = _version,
        ["model"] = "echo",
        ["messages"] = new JsonArray([.. Enumerable.Range(0, _messages.Count).Select(Message)]),
        ["token_count"] = 0,
        ["created_at"] = "2026-01-02T03:04:05+00:00",
        ["updated_at"] = "2026-01-02T03:04:05+00:00",
        ["undo_depth"] = _undo.Count,
    }.ToJsonString());

    private JsonObject Message(int index) => new()
    {
        ["index"] = index,
        ["role"] = _messages[index].Role,
        ["content"] = _messages[index].Content,
        ["token_start"] = 0,
        ["token_count"] = 0,
    };

    private JsonObject Receipt(int kept, int invalidated) => new()
    {
        ["version"] = _version,
        ["tokens_kept"] = kept,
        ["tokens_invalidated"] = invalidated,
        ["blocks_released"] = 1,
        ["blocks_shared"] = 0,
        ["bytes_freed"] = new JsonObject(),
    };
}
