using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using KvTiers.Tests.Shared;

namespace KvTiers.Silo.Tests.Samples;

/// <summary><c>samples/chat-backend</c>, as its README starts it, before a real server.</summary>
public sealed class ChatBackendTests
{
    [Fact]
    public async Task AChatIsAnsweredEditedAndDeleted()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        await using BackEnd backEnd = await BackEnd.StartAsync(silo.Url, "--SystemPrompt=You are the harbour master.");
        JsonObject chat = await backEnd.Http.PostAsync("/chats", "{}", HttpStatusCode.Created);
        string path = $"/chats/{chat["id"]!.GetValue<string>()}";
        Assert.Equal("You are the harbour master.", chat["messages"]![0]!["content"]!.GetValue<string>());

        JsonObject first = await AnswerAsync(backEnd, HttpMethod.Post, path + "/messages", "When is high water?");
        JsonObject second = await AnswerAsync(backEnd, HttpMethod.Post, path + "/messages", "And low water?");
        Assert.True(second["cached"]!["total"]!.GetValue<int>() >= first["promptTokens"]!.GetValue<int>());

        JsonObject edited = await AnswerAsync(backEnd, HttpMethod.Put, path + "/messages/1", "When is ebb?");
        Assert.True(edited["cached"]!["total"]!.GetValue<int>() > 0);
        JsonArray messages = (await backEnd.Http.GetJsonAsync(path))["messages"]!.AsArray();
        Assert.Equal(["system", "user", "assistant"], messages.Select(message => message!["role"]!.GetValue<string>()));
        Assert.Equal("When is ebb?", messages[1]!["content"]!.GetValue<string>());

        await backEnd.Http.SendJsonAsync(HttpMethod.Delete, path);
        Assert.Contains("There is no conversation", await ProblemAsync(backEnd, HttpMethod.Get, path, HttpStatusCode.NotFound), StringComparison.Ordinal);
    }

    [Fact]
    public async Task BadInputAndAServerThatIsAwayAreStatusesOfTheirOwn()
    {
        SiloServer silo = await SiloServer.StartAsync();
        await using BackEnd backEnd = await BackEnd.StartAsync(silo.Url);
        await ProblemAsync(backEnd, HttpMethod.Post, "/chats/unknown/messages", HttpStatusCode.NotFound);
        await ProblemAsync(backEnd, HttpMethod.Get, "/chats/a%20b", HttpStatusCode.BadRequest);
        await silo.DisposeAsync();
        await ProblemAsync(backEnd, HttpMethod.Post, "/chats", HttpStatusCode.ServiceUnavailable);
    }

    private static async Task<string> ProblemAsync(BackEnd backEnd, HttpMethod method, string path, HttpStatusCode expected)
    {
        using HttpRequestMessage request = Request(method, path, "Hello");
        using HttpResponseMessage response = await backEnd.Http.SendAsync(request);
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{response.StatusCode}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(body)!["detail"]!.GetValue<string>();
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string text) =>
        new(method, path) { Content = method == HttpMethod.Get ? null : JsonContent.Create(new { text }) };

    // The pieces of the answer must be the message that the chat then has; the tokens' counts come back.
    private static async Task<JsonObject> AnswerAsync(BackEnd backEnd, HttpMethod method, string path, string text)
    {
        string answer = "";
        JsonObject? usage = null;
        using HttpRequestMessage request = Request(method, path, text);
        using HttpResponseMessage response = await backEnd.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await foreach (SseItem<string> item in SseParser.Create(await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync()).EnumerateAsync())
        {
            Assert.Null(usage);
            if (item.EventType == "text") answer += JsonNode.Parse(item.Data)!.GetValue<string>();
            else usage = Assert.IsType<JsonObject>(item.EventType == "done" ? JsonNode.Parse(item.Data) : null);
        }

        JsonObject chat = await backEnd.Http.GetJsonAsync(path[..path.IndexOf("/messages", StringComparison.Ordinal)]);
        Assert.Equal(chat["messages"]!.AsArray()[^1]!["content"]!.GetValue<string>(), answer);
        return Assert.IsType<JsonObject>(usage);
    }

    private sealed class BackEnd : IAsyncDisposable
    {
        private readonly Process _process;

        private BackEnd(Process process) => _process = process;

        public HttpClient Http { get; } = new();

        public static async Task<BackEnd> StartAsync(Uri server, params string[] arguments)
        {
            string[] all = [Path.Combine(AppContext.BaseDirectory, "chat-backend.dll"), "--urls", "http://127.0.0.1:0", $"--KvTiers:BaseAddress={server}", .. arguments];
            TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Process process = new() { StartInfo = new ProcessStartInfo("dotnet", all) { RedirectStandardOutput = true } };
            process.OutputDataReceived += (_, line) =>
            {
                const string Listening = "Now listening on: ";
                int at = line.Data?.IndexOf(Listening, StringComparison.Ordinal) ?? -1;
                if (at >= 0) listening.TrySetResult(new Uri(line.Data![(at + Listening.Length)..]));
            };
            process.Start();
            process.BeginOutputReadLine();
            BackEnd backEnd = new(process);
            try
            {
                backEnd.Http.BaseAddress = await listening.Task.WaitAsync(HangLimit.Time);
                return backEnd;
            }
            catch
            {
                await backEnd.DisposeAsync();
                throw;
            }
        }

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
