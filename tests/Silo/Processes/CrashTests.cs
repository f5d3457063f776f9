using System.Globalization;
using System.Text.Json.Nodes;
using KvTiers.Diagnostics;
using KvTiers.Silo.Tests.Talks;

namespace KvTiers.Silo.Tests.Processes;

/// <summary>
/// kill -9 at random moments under load, restart on the same folders, and so on. The number of kills is
/// <c>KVTIERS_TEST_KILLS</c>, the seed <c>KVTIERS_TEST_SEED</c>.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output) : IDisposable
{
    private const int Talkers = 12;

    // Beyond that a new conversation begins; the hot tier holds little more.
    private const int LongTalk = 600;

    private static readonly string[] Settings = ["--hot", "1MiB", "--kv", "f32", "--disk", "64MiB", "--KvTiers:Promotion=always"];

    private readonly TemporaryFolder _folder = new();
    private readonly List<Talk> _ended = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AKilledServerLosesNothingItAcknowledgedAndGoesOnWithTheSameTokens()
    {
        int kills = Number("KVTIERS_TEST_KILLS", 6), seed = Number("KVTIERS_TEST_SEED", Environment.TickCount & int.MaxValue);
        output.WriteLine($"{kills} kills, seed {seed}");
        var random = new Random(seed);
        await using SiloServer reference = await SiloServer.StartAsync("--kv", "f32");
        int begun = 0, turns = 0, early = 0;
        Talk Begin() => new($"talk-{begun}", 1000 * begun++);
        Talk[] talks = [.. Enumerable.Range(0, Talkers).Select(_ => Begin())];
        long fromDisk = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            if (random.Next(8) == 0)
            {
                early++;
                await KillWhileStartingAsync(TimeSpan.FromMilliseconds(random.Next(1500)));
            }

            await using SiloProcess silo = await SiloProcess.StartReadyAsync(TestModels.Tiny, _folder.FullName, [.. Settings, .. Variant(kill)]);
            foreach (Talk talk in talks) await talk.CheckStoredAsync(silo.Http);
            int after = random.Next(40), further = random.Next(40);
            Task<long>[] talking = [.. talks.Select(talk => TalkAsync(talk, silo.Http))];
            await AcknowledgedAsync(talks, talks.Sum(talk => talk.TurnCount) + after, Task.WhenAll(talking));
            await Task.Delay(further);
            silo.KillNow();
            long recovered = (await Task.WhenAll(talking)).Sum();
            if (kill > 0) fromDisk += recovered;
            await silo.WaitForExitAsync();
            foreach (Talk talk in talks) await talk.CheckAgainstAsync(reference.Http);
            for (int i = 0; i < talks.Length; i++)
            {
                if (talks[i].TokenCount < LongTalk) continue;
                _ended.Add(talks[i]);
                talks[i] = Begin();
            }

            turns = talks.Concat(_ended).Sum(talk => talk.TurnCount);
            output.WriteLine($"kill {kill + 1}, {after} turns and {further} ms after the start: {turns} turns so far, {fromDisk} tokens recovered from disk");
        }

        await CheckTheLastAsync([.. talks, .. _ended], talks, reference);
        output.WriteLine($"{kills} kills under load and {early} while starting, {turns} turns of {begun} conversations, each checked token by token; {fromDisk} tokens recovered from disk");
        Assert.True(turns > kills, $"only {turns} turns were taken");
        Assert.True(fromDisk > 0, "nothing was recovered from the disk");
    }

    // Blocks that are written when they are sealed are many on disk at any moment; with a tier in memory between, few.
    private static string[] Variant(int life) => life % 3 == 0 ? ["--ram", "1MiB"] : ["--KvTiers:DiskWrite=on-seal"];

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Talks until the server is gone.</summary>
    /// <returns>Tokens that the first turn found on the disk: a former life's.</returns>
    private static async Task<long> TalkAsync(Talk talk, HttpClient http)
    {
        long? fromDisk = null;
        try
        {
            while (talk.TokenCount < LongTalk)
            {
                JsonNode completed = await talk.SayAsync(http);
                fromDisk ??= (long)completed["usage"]!["cached"]!["disk"]!;
            }
        }
        catch (Exception gone) when (gone is HttpRequestException or IOException)
        {
            // Killed.
        }

        return fromDisk ?? 0;
    }

    // A slow machine gets as far as a fast one.
    private static Task AcknowledgedAsync(Talk[] talks, int turns, Task allEnded) =>
        Eventually.TrueAsync(() => talks.Sum(talk => talk.TurnCount) >= turns || allEnded.IsCompleted);

    private async Task KillWhileStartingAsync(TimeSpan after)
    {
        await using SiloProcess silo = SiloProcess.Start(
            _folder.FullName, ["--urls", "http://127.0.0.1:0", "--model", TestModels.Tiny, "--data", _folder.FullName, "--threads", "1", .. Settings, .. Variant(0)]);
        await Task.Delay(after);
        silo.KillNow();
        await silo.WaitForExitAsync();
    }

    /// <summary>In this process, where the cache can be looked into: everything is there, goes on, and is in order.</summary>
    private async Task CheckTheLastAsync(Talk[] all, Talk[] open, SiloServer reference)
    {
        await using SiloServer silo = await SiloServer.StartAsync(["--data", _folder.FullName, .. Settings, .. Variant(0)]);
        foreach (Talk talk in all) await talk.CheckStoredAsync(silo.Http);
        foreach (Talk talk in open)
        {
            await talk.SayAsync(silo.Http);
            await talk.CheckAgainstAsync(reference.Http);
        }

        CacheIntegrity.Check(silo.Model.Cache);
    }
}
