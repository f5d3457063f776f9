using System.Text.Json.Nodes;
using KvTiers.Silo.Tests.Operations;

namespace KvTiers.Silo.Tests.Talks;

/// <summary>Conversations that go on side by side.</summary>
internal sealed class TalkGroup(string name, int count)
{
    private readonly Talk[] _talks = [.. Enumerable.Range(0, count).Select(i => new Talk($"{name}-{i}", 1000 * i))];

    /// <summary>Every conversation takes some turns.</summary>
    /// <returns>Prompt tokens found in each tier, by its name.</returns>
    public async Task<Dictionary<string, int>> SayAsync(HttpClient http, int turns)
    {
        JsonNode[][] all = await Task.WhenAll(_talks.Select(async talk =>
        {
            var said = new JsonNode[turns];
            for (int i = 0; i < turns; i++) said[i] = await talk.SayAsync(http);
            return said;
        }));
        return all.SelectMany(said => said).SelectMany(completed => completed["usage"]!["cached"]!.AsObject())
            .GroupBy(tier => tier.Key).ToDictionary(tier => tier.Key, tier => tier.Sum(one => (int)one.Value!));
    }

    /// <summary>All that was acknowledged is there.</summary>
    public async Task CheckStoredAsync(HttpClient http)
    {
        foreach (Talk talk in _talks) await talk.CheckStoredAsync(http);
    }

    /// <summary>Another server answers the same, to the bit.</summary>
    /// <returns>Prompt tokens that the other server found on Redis.</returns>
    public async Task<int> CheckAgainstAsync(HttpClient reference)
    {
        int fromRedis = 0;
        foreach (Talk talk in _talks) fromRedis += await talk.CheckAgainstAsync(reference);
        return fromRedis;
    }

    /// <summary>What <c>/metrics</c> says.</summary>
    public static async Task<IReadOnlyDictionary<string, double>> MetricsAsync(HttpClient http) => PrometheusParser.Parse(await http.GetStringAsync("/metrics"));

    /// <summary>How many calls to a tier came to nothing in one way.</summary>
    public static double Misses(IReadOnlyDictionary<string, double> metrics, string tier, string kind) =>
        metrics[$"kvtiers_tier_misses_total{{kind=\"{kind}\",tier=\"{tier}\"}}"];
}
