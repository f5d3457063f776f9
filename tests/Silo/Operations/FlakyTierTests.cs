using KvTiers.Silo.Models;
using KvTiers.Silo.Tests.Talks;
using KvTiers.Tests.Tiers;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>A server over a tier that errs, delays, returns less than a record and flips bits: every answer is right, and every fault is counted.</summary>
[Collection(AloneCollection.Name)]
public sealed class FlakyTierTests
{
    [Theory]
    [InlineData("ram")]
    [InlineData("disk")]
    public async Task EveryAnswerIsRightAndEveryFaultIsCounted(string tier)
    {
        FlakyStore? flaky = null;
        StoreDecorator decorate = (_, store) => flaky = new FlakyStore(store, seed: 11);
        await using SiloServer reference = await SiloServer.StartAsync("--kv", "f32");
        await using SiloServer silo = await SiloServer.StartAsync(
            services => services.AddSingleton(decorate), "--hot", "1MiB", "--kv", "f32", $"--{tier}", "64MiB", "--KvTiers:Promotion=always");
        var talks = new TalkGroup("flaky", 16);
        Dictionary<string, int> cached = await talks.SayAsync(silo.Http, turns: 6);
        Assert.True(cached[tier] > 500, $"only {cached[tier]} tokens came from {tier}");
        await talks.CheckAgainstAsync(reference.Http);

        await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        IReadOnlyDictionary<string, double> metrics = await TalkGroup.MetricsAsync(silo.Http);
        Assert.All(
            new[] { flaky!.Flipped, flaky.Cut, flaky.ReadErrors, flaky.WriteErrors, flaky.Timeouts, flaky.Absent, flaky.Delays },
            count => Assert.True(count > 0));

        // A bit of the payload is the checksum's business in memory, and the key's on disk.
        Assert.Equal(flaky.Flipped + flaky.Cut, TalkGroup.Misses(metrics, tier, "corrupt") + TalkGroup.Misses(metrics, tier, "unauthentic"));
        Assert.Equal(
            [flaky.ReadErrors, flaky.WriteErrors, flaky.Timeouts, flaky.Absent, 0, 0, 0],
            ((string[])["read_error", "write_error", "deadline", "absent", "other_error", "truncated", "other_block"])
                .Select(kind => (int)TalkGroup.Misses(metrics, tier, kind)));
    }
}
