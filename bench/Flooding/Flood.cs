using System.Collections.Concurrent;
using System.Text;

namespace KvTiers.Bench.Flooding;

/// <summary>A tenant that sends everything it may, and does not wait when it is told to: many requests, one of 256 prompts times 128 choices, prompts of 15 MB, conversations.</summary>
/// <param name="http">Speaks to the server with the tenant's key.</param>
/// <param name="vocabulary">Ids below it are drawn for prompts.</param>
/// <param name="longPromptBytes">Bytes of the longest prompt; 0 = none is sent.</param>
internal sealed class Flood(HttpClient http, int vocabulary, int longPromptBytes)
{
    private const int Requests = 64;

    // One that does not wait at all measures how fast this machine can send.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private readonly ConcurrentDictionary<string, int> _answers = new();

    /// <summary>Answers by kind of request and status.</summary>
    public IReadOnlyDictionary<string, int> Answers => _answers;

    /// <summary>Sends until it is cancelled.</summary>
    /// <param name="conversations">Conversations to create.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task RunAsync(int conversations, CancellationToken cancel)
    {
        string prompts = string.Join(',', Enumerable.Range(0, 256).Select(i => $"\"Prompt {i}\""));
        string many = $$"""{"prompt":[{{prompts}}],"n":128,"max_tokens":16}""";
        string longest = $$"""{"prompt":"{{string.Concat(Enumerable.Repeat("so long a text ", longPromptBytes / 15))}}","max_tokens":1}""";
        int left = conversations;
        List<Task> loops =
        [
            .. Enumerable.Range(0, Requests).Select(i => LoopAsync("request", "/v1/completions", Ordinary(i), cancel)),
            LoopAsync("256 prompts, n 128", "/v1/completions", () => many, cancel),
            LoopAsync($"prompt of {longPromptBytes / 1_000_000} MB", "/v1/completions", () => longPromptBytes == 0 ? null : longest, cancel),
            LoopAsync("conversation", "/v1/conversations", () => Interlocked.Decrement(ref left) >= 0 ? "{}" : null, cancel),
        ];
        await ((Task)Task.WhenAll(loops)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Each with a salt of its own, as who wants to be taken for many tenants would send it.
    private Func<string> Ordinary(int number)
    {
        var random = new Random(1_000 + number);
        return () => $$"""{"prompt":{{QuietTenant.Prompt(random, 300, vocabulary)}},"max_tokens":64,"ignore_eos":true,"cache_salt":"{{Guid.NewGuid():n}}"}""";
    }

    private async Task LoopAsync(string kind, string path, Func<string?> next, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested && next() is { } body)
        {
            string status;
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using HttpResponseMessage response = await http.PostAsync(new Uri(path, UriKind.Relative), content, cancel);
                status = ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
            }
            catch (HttpRequestException)
            {
                status = "broken off";
            }

            _answers.AddOrUpdate($"{kind}: {status}", 1, static (_, count) => count + 1);
            await Task.Delay(Pause, cancel);
        }
    }
}
