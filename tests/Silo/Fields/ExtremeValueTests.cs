using System.Text;
using System.Text.Json.Nodes;
using KvTiers.Silo.Fields;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KvTiers.Silo.Tests.Fields;

/// <summary>
/// Every field of every route's body, found by the routes' own tables, is sent at the ends of what JSON can say: whatever it is, it is answered or refused, and
/// no request is a fault of the server. So is every part of every path, and what stands behind it.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class ExtremeValueTests(ITestOutputHelper output)
{
    private const int Conversations = 64;
    private const string Place = "\"@VALUE@\"";

    private static readonly string Digits = new('7', 400);
    private static readonly string Long = new('x', 1 << 20);

    private static readonly string[] Numbers =
    [
        "1e-320", "-1e-320", "4.9e-324", "1e-45", "1.7976931348623157e308", "-1.7976931348623157e308", "1e400", "-1e400", "1e-400", "0", "-0", "-0.0", "0.1e1", "1e0", "2147483647", "2147483648",
        "-2147483648", "-2147483649", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551616", Digits, $"0.{Digits}", $"{Digits}e-400", "-1", "1",
    ];

    private static readonly string[] Texts =
    [
        "\"\"", "\"\\ud800\"", "\"\\udc00\"", "\"a\\ud800b\"", "\"\\udc00\\ud800\"", "\"\\u0000\"", "\"a\\u0000b\"", "\"\\ufeff\"", "\"\\uffff\"", "\"\\ud83d\\ude42\"", "\"a word that nobody knows\"", "\"..\"", "\"\\n\"",
        "\"{\"", "\"{\\\"a\\\":\\\"\\\\ud800\\\"}\"", $"\"{Long}\"",
    ];

    private static readonly string[] Lists =
    [
        "[]", "[null]", "[[]]", "[{}]", "[\"\\ud800\"]", "[\"\"]", "[1e-320]", "[1e400]", "[2147483648]", "[-1]", "[9223372036854775808]", "[true]", $"[{string.Join(',', Enumerable.Repeat("1", 5000))}]",
        $"[{string.Join(',', Enumerable.Repeat("\"x\"", 5000))}]", $"{new string('[', 60)}{new string(']', 60)}", $"{new string('[', 2000)}{new string(']', 2000)}",
    ];

    private static readonly string[] Objects =
    [
        "{}", "{\"a\":null}", "{\"a\":\"\\ud800\"}", "{\"\\ud800\":1}", "{\"\":1}", "{\"1\":1e400}", "{\"1\":1e-320}", "{\"-1\":1}", "{\"2147483648\":1}", "{\"99999999999999999999\":1}", "{\"type\":\"\\ud800\"}",
        "{\"type\":\"a word\"}", "{\"type\":1e400}", "{\"type\":{}}", "{\"type\":null}", $"{{{string.Join(',', Enumerable.Range(0, 3000).Select(i => $"\"k{i}\":1"))}}}",
        $"{string.Concat(Enumerable.Repeat("{\"a\":", 60))}1{new string('}', 60)}", $"{string.Concat(Enumerable.Repeat("{\"type\":\"object\",\"properties\":{\"a\":", 30))}{{}}{new string('}', 60)}",
    ];

    // Bodies of the server's own routes; the others' tables have examples.
    private static readonly Dictionary<string, string> Bodies = new()
    {
        ["/v1/conversations/{id}/turns"] = """{"messages":[{"role":"user","content":"x"}]}""",
        ["/v1/conversations/{id}/messages/{index:int}"] = """{"content":"y"}""",
        ["/v1/conversations/{id}/fork"] = """{"at":1}""",
        ["/admin/tiers/{tier}/resize"] = """{"capacity":"16MiB"}""",
    };

    private static readonly Dictionary<string, string> Inner = new()
    {
        ["messages"] = """{"role":"user","content":"x"}""",
        ["tools"] = """{"name":"f"}""",
        ["tool_calls"] = """{"id":"a","name":"f","arguments":"{}"}""",
        ["log_bias"] = """{"token_id":1,"bias":1}""",
    };

    private static readonly string[] Queries = ["nodes", "limit", "after", "before", "order", "version", "cursor", "format", "messages"];

    [Fact]
    public async Task NoValueOfAnyFieldIsAFaultOfTheServer()
    {
        var logs = new LogList();
        await using SiloServer silo = await StartAsync(logs);
        List<(string Method, string Path, string Body, string At)> requests = [];
        foreach (RouteEndpoint endpoint in Endpoints(silo).Where(endpoint => endpoint.Metadata.GetMetadata<RequestFields>() is not null))
        {
            FieldTable table = endpoint.Metadata.GetMetadata<RequestFields>()!.Table;
            string pattern = "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
            string method = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0];
            int number = 0;
            void Add(string body, string at) => requests.Add((method, Filled(pattern, number++), body, $"{method} {pattern} {at}"));
            JsonObject example = Object(Bodies.GetValueOrDefault(pattern, table.Example));
            Walk(table, "", (field, value) => With(example, field, value), Add);
            foreach (string whole in (string[])[.. Numbers, .. Texts, .. Lists, .. Objects, "", "null", "\u0000", "{", "{\"a\":}", "[", new string('{', 100_000)])
                Add(whole, whole);
        }

        int routes = requests.Select(request => request.At.Split(' ')[1]).Distinct().Count();
        int[] statuses = await SendAsync(silo, requests, logs);
        output.WriteLine($"{requests.Count} requests to {routes} routes: {string.Join(", ", statuses.GroupBy(status => status).OrderBy(group => group.Key).Select(group => $"{group.Count()} × {group.Key}"))}");
        Assert.True(routes >= 16 && requests.Count > 10_000, $"only {requests.Count} requests to {routes} routes");
        Assert.Contains(200, statuses);
    }

    [Fact]
    public async Task NoPathAndNoQueryIsAFaultOfTheServer()
    {
        var logs = new LogList();
        await using SiloServer silo = await StartAsync(logs);
        string[] parts =
        [
            "%00", "a%00b", "%ED%A0%80", "%FF", "%2e", "%2e%2e", "..%2f..", "%2F", "-1", "0", "2147483647", "2147483648", "-2147483649", "9223372036854775808", "1e400", "NaN", "%F0%9F%99%82", "a%20b", "+", "*", "~",
            new string('x', 64), new string('x', 65), new string('x', 4000), "%C3%A9", "%25", "%0A", "nobody",
        ];
        List<(string Method, string Path, string Body, string At)> requests = [];
        foreach (RouteEndpoint endpoint in Endpoints(silo))
        {
            string pattern = "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
            foreach (string method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
            {
                string body = method is "POST" or "PATCH" or "PUT" ? Bodies.GetValueOrDefault(pattern, endpoint.Metadata.GetMetadata<RequestFields>()?.Table.Example ?? "") : "";
                foreach (string part in endpoint.RoutePattern.Parameters.Count == 0 ? [] : parts)
                {
                    string path = endpoint.RoutePattern.Parameters.Aggregate(pattern, (filled, parameter) => Fill(filled, parameter.Name, part));
                    requests.Add((method, path, body, $"{method} {pattern} {part}"));
                }

                if (method is not "GET") continue;
                foreach (string query in Queries)
                {
                    foreach (string value in (string[])[.. parts, ""])
                        requests.Add((method, $"{Filled(pattern, 0)}?{query}={value}", "", $"{method} {pattern} ?{query}={value}"));
                }
            }
        }

        int[] statuses = await SendAsync(silo, requests, logs);
        output.WriteLine($"{requests.Count} requests: {string.Join(", ", statuses.GroupBy(status => status).OrderBy(group => group.Key).Select(group => $"{group.Count()} × {group.Key}"))}");
        Assert.True(requests.Count > 2000);
    }

    private static Task<SiloServer> StartAsync(LogList logs) =>
        SiloServer.StartAsync(services => services.AddSingleton<ILoggerProvider>(logs), "--KvTiers:AnswerTokens=2", "--ram", "8MiB", "--hot", "16MiB", "--KvTiers:MaxTurns=1000");

    private static async Task<int[]> SendAsync(SiloServer silo, List<(string Method, string Path, string Body, string At)> requests, LogList logs)
    {
        // What some of them speak of.
        for (int i = 0; i < Conversations; i++)
            await silo.Http.PostAsync("/v1/chat/completions", $$"""{"conversation":"known-{{i}}","messages":[{"role":"user","content":"Hello"}]}""");
        int[] statuses = new int[requests.Count];
        var faults = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, requests.Count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellationToken) =>
        {
            (string method, string path, string body, string at) = requests[i];
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(silo.Url.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            if (body.Length > 0) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            using HttpResponseMessage response = await silo.Http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            statuses[i] = (int)response.StatusCode;
            if (statuses[i] < 500) return;
            string text = await response.Content.ReadAsStringAsync(cancellationToken);
            faults.Enqueue($"{Short(at)} → {statuses[i]}: {Short(text)}");
        });
        IReadOnlyList<string> errors = logs.At(LogLevel.Error);
        Assert.True(faults.IsEmpty, $"{faults.Count} faults:\n{string.Join('\n', faults.Take(40))}\n{string.Join('\n', errors.Take(5))}");
        Assert.True(errors.Count == 0, $"{errors.Count} log lines:\n{string.Join('\n', errors.Take(5).Select(Short))}");
        return statuses;
    }

    private static string Short(string text) => text.Length <= 300 ? text : text[..300] + "…";

    private static IEnumerable<RouteEndpoint> Endpoints(SiloServer silo) =>
        silo.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(endpoint => endpoint.RoutePattern.RawText?.StartsWith("/orleans", StringComparison.Ordinal) != true);

    // Each field by itself, and inside the objects that stand in it.
    private static void Walk(FieldTable table, string prefix, Func<Field, string, string> make, Action<string, string> add)
    {
        foreach (Field field in table.Fields)
        {
            string at = prefix + field.Name;
            foreach (string value in Values(field.Kinds))
                add(make(field, value), $"{at} = {value}");
            if (field.Inner is not { } inner) continue;
            JsonObject example = Object(Inner.TryGetValue(field.Name, out string? known) && inner.Example == "{}" ? known : inner.Example);
            bool isList = field.Kinds.HasFlag(ValueKinds.List);
            Walk(inner, at + ".", (nested, value) =>
            {
                string made = With(example, nested, value);
                return make(field, isList ? $"[{made}]" : made);
            }, add);
        }
    }

    private static IEnumerable<string> Values(ValueKinds kinds)
    {
        if ((kinds & (ValueKinds.Number | ValueKinds.Integer)) != 0)
            foreach (string number in Numbers) yield return number;
        if (kinds.HasFlag(ValueKinds.Text))
            foreach (string text in Texts) yield return text;
        if (kinds.HasFlag(ValueKinds.List))
            foreach (string list in Lists) yield return list;
        if (kinds.HasFlag(ValueKinds.Object))
            foreach (string made in Objects) yield return made;
        yield return "null";
        yield return kinds.HasFlag(ValueKinds.Boolean) ? "true" : "\"\\ud800\"";
    }

    // As text: no object model holds half of a surrogate pair, or a number that is none.
    private static string With(JsonObject body, Field field, string value)
    {
        var changed = (JsonObject)body.DeepClone();
        if (field.With is { } with)
            foreach ((string name, JsonNode? node) in Object($"{{{with}}}")) changed[name] = node?.DeepClone();
        changed[field.Name] = "@VALUE@";
        return changed.ToJsonString().Replace(Place, value, StringComparison.Ordinal);
    }

    private static string Filled(string pattern, int number) =>
        Fill(Fill(Fill(pattern, "tier", "ram"), "index", "0"), "id", $"known-{number % Conversations}").Replace("{model}", "tiny", StringComparison.Ordinal);

    private static string Fill(string pattern, string name, string value)
    {
        int start = pattern.IndexOf("{" + name, StringComparison.Ordinal);
        if (start < 0) start = pattern.IndexOf("{*" + name, StringComparison.Ordinal);
        if (start < 0) start = pattern.IndexOf("{**" + name, StringComparison.Ordinal);
        return start < 0 ? pattern : pattern[..start] + value + pattern[(pattern.IndexOf('}', start) + 1)..];
    }

    private static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();
}
