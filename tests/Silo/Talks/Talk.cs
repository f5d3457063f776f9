using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Talks;

/// <summary>
/// A conversation whose every answer follows from what was said and a seed, so that any sound server gives the same tokens and
/// log probabilities. Remembers what was acknowledged, through servers that fail and die.
/// </summary>
internal sealed class Talk(string id, int seed)
{
    private static readonly string[] Vocabulary = ["river", "lamp", "seven", "north", "quiet", "bread", "window", "garden", "letter", "stone", "music", "tomorrow"];

    private readonly List<SpokenTurn> _turns = [];
    private string? _open;
    private int _replayed;

    /// <summary>Turns that the server has said are stored, or that were found stored.</summary>
    public int TurnCount => _turns.Count;

    /// <summary>Tokens known after the last turn.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Says the next thing; the same again when it was not acknowledged.</summary>
    /// <returns>The event that tells that the turn is stored.</returns>
    public async Task<JsonNode> SayAsync(HttpClient http, int maxTokens = 12)
    {
        _open ??= Words(new Random(seed + _turns.Count), _turns.Count == 0 ? 60 : 4);
        int turnSeed = seed + _turns.Count;
        (JsonNode completed, List<string> tokens) = await SendAsync(http, _open, turnSeed, _turns.Count == 0, maxTokens);
        _turns.Add(new SpokenTurn(_open, turnSeed, (string)completed["message"]!["content"]!, tokens));
        _open = null;
        TokenCount = (int)completed["usage"]!["prompt_tokens"]! + (int)completed["usage"]!["completion_tokens"]!;
        return completed;
    }

    /// <summary>Reads the conversation: every acknowledged turn is there, and beyond them at most the one that was under way.</summary>
    public async Task CheckStoredAsync(HttpClient http)
    {
        using HttpResponseMessage response = await http.GetAsync($"/v1/conversations/{id}");
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            Assert.Equal((id, 0), (id, _turns.Count));
            return;
        }

        JsonArray messages = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["messages"]!.AsArray();
        string[] said = [.. messages.Select(message => (string)message!["content"]!)];
        string[] acknowledged = [.. _turns.SelectMany(turn => (string[])[turn.Text, turn.Answer])];
        Assert.Equal(acknowledged, said.Take(acknowledged.Length));
        if (said.Length == acknowledged.Length)
            return;

        Assert.Equal(acknowledged.Length + 2, said.Length);
        Assert.Equal(_open, said[^2]);
        _turns.Add(new SpokenTurn(_open!, seed + _turns.Count, said[^1], null));
        _open = null;
    }

    /// <summary>Has another server answer the turns since the last call: it must answer the same, to the bit.</summary>
    /// <returns>Prompt tokens that the other server found on Redis.</returns>
    public async Task<int> CheckAgainstAsync(HttpClient reference, int maxTokens = 12)
    {
        int fromRedis = 0;
        for (; _replayed < _turns.Count; _replayed++)
        {
            SpokenTurn turn = _turns[_replayed];
            (JsonNode completed, List<string> tokens) = await SendAsync(reference, turn.Text, turn.Seed, _replayed == 0, maxTokens);
            Assert.Equal((id, _replayed, turn.Answer), (id, _replayed, (string)completed["message"]!["content"]!));
            if (turn.Tokens is not null)
                Assert.Equal(tokens, turn.Tokens);
            fromRedis += (int)completed["usage"]!["cached"]!["redis"]!;
        }

        return fromRedis;
    }

    private async Task<(JsonNode Completed, List<string> Tokens)> SendAsync(HttpClient http, string text, int turnSeed, bool begins, int maxTokens)
    {
        var body = new JsonObject
        {
            ["mode"] = begins ? "history" : "append",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
            ["options"] = new JsonObject { ["max_tokens"] = maxTokens, ["temperature"] = 1, ["seed"] = turnSeed, ["top_log_probs"] = 1 },
            ["stream"] = true,
        };
        var tokens = new List<string>();
        await foreach (string data in http.StreamAsync($"/v1/conversations/{id}/turns", body.ToJsonString()))
        {
            if (data == "[DONE]")
                break;
            JsonNode one = JsonNode.Parse(data)!;
            switch ((string?)one["type"])
            {
                case "token":
                    tokens.Add(data);
                    break;
                case "completed":
                    return (one, tokens);
                case null:
                    throw new IOException(data);
            }
        }

        throw new IOException("The stream ended before the turn.");
    }

    // Much is said to begin with, so that a few conversations are more than a small hot tier holds.
    private static string Words(Random random, int atLeast) => string.Join(' ', Enumerable.Range(0, random.Next(atLeast, atLeast + 10)).Select(_ => random.GetItems(Vocabulary, 1)[0]));
}
