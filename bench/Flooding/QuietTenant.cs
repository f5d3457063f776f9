using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;

namespace KvTiers.Bench.Flooding;

/// <summary>A tenant that asks one thing at a time, each with a prompt that nobody has asked before, and notes how long its first token took.</summary>
/// <param name="http">Speaks to the server with the tenant's key.</param>
/// <param name="promptTokens">Tokens of a prompt.</param>
/// <param name="answerTokens">Tokens of an answer.</param>
/// <param name="vocabulary">Ids below it are drawn for prompts.</param>
internal sealed class QuietTenant(HttpClient http, int promptTokens, int answerTokens, int vocabulary)
{
    private static readonly TimeSpan Think = TimeSpan.FromMilliseconds(100);
    private readonly Random _random = new(7);

    /// <summary>Requests that were refused with 429.</summary>
    public int Refusals { get; private set; }

    /// <summary>Asks so many times.</summary>
    /// <returns>Milliseconds to the first token, ascending.</returns>
    public async Task<List<double>> AskAsync(int count, CancellationToken cancel)
    {
        List<double> times = [];
        for (int i = 0; i < count; i++)
        {
            await Task.Delay(Think, cancel);
            if (await AskAsync(cancel) is { } time)
                times.Add(time);
        }

        times.Sort();
        return times;
    }

    /// <summary>A prompt of random tokens.</summary>
    public static string Prompt(Random random, int tokens, int vocabulary) =>
        "[" + string.Join(',', Enumerable.Range(0, tokens).Select(_ => random.Next(vocabulary / 4, vocabulary).ToString(CultureInfo.InvariantCulture))) + "]";

    private async Task<double?> AskAsync(CancellationToken cancel)
    {
        string body = $$"""{"prompt":{{Prompt(_random, promptTokens, vocabulary)}},"max_tokens":{{answerTokens}},"ignore_eos":true,"stream":true}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        var clock = Stopwatch.StartNew();
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (response.StatusCode == HttpStatusCode.TooManyRequests)
        {
            Refusals++;
            return null;
        }

        response.EnsureSuccessStatusCode();
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancel);
        byte[] buffer = new byte[16 << 10];
        await stream.ReadAtLeastAsync(buffer, 1, throwOnEndOfStream: true, cancel);
        double first = clock.Elapsed.TotalMilliseconds;
        while (await stream.ReadAsync(buffer, cancel) > 0)
        {
            // To its end, so that one answer is over before the next is asked for.
        }

        return first;
    }
}
