using System.Diagnostics;
using KvTiers.Cli.Load;
using KvTiers.Client;
using KvTiers.Conversations;
using KvTiers.Tests.Shared;

namespace KvTiers.Cluster.Tests;

/// <summary>Three servers under load while each is killed in turn, and both Redis servers are killed, hang, and one is emptied.</summary>
/// <remarks>With <c>KVTIERS_CHAOS=full</c>: 64 conversations of 8 turns, and faults of 10 s.</remarks>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private readonly Stopwatch _clock = new();
    private readonly ChaosPlan _plan = ChaosPlan.Asked;
    private readonly FaultPace _pace = new(faults: 8);

    /// <summary>With <paramref name="cluster"/> as silos of one cluster, of which one also ends while the cluster's Redis is away, and is started again by what keeps them running.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NoAcknowledgedTurnIsLostAndNoAnswerWrong(bool cluster)
    {
        ChaosPlan plan = _plan;
        await using ThreeSilos silos = await ThreeSilos.StartAsync($"--model {plan.Model} --KvTiers:Promotion=always", cluster);
        IConversations[] clients = [.. Enumerable.Range(0, 3).Select(silos.ClientOf)];
        var options = new LoadOptions
        {
            Urls = silos.Urls,
            Conversations = plan.Conversations,
            Turns = plan.Turns,
            SystemTokens = plan.SystemTokens,
            UserTokens = 40,
            AnswerTokens = 32,
            EditRate = 0.1,
            Think = plan.Think,
            Verify = true,
            Patience = TimeSpan.FromMinutes(1) + HangLimit.Time,
            MaxTime = TimeSpan.FromMinutes(30),
        };
        _clock.Start();
        Task<LoadResult> loading = new LoadRun(options, clients, mayThink: turn => _pace.TurnAsync(turn, plan.Turns), _clock).RunAsync(() => { }, CancellationToken.None);
        await KillServersAsync(silos, plan.Fault, cluster);
        using var done = new CancellationTokenSource();
        Task<int> keeping = cluster ? KeepAsync(silos, done.Token) : Task.FromResult(0);
        await HarmRedisAsync(silos, plan.Fault, cluster);
        TimeSpan lastFault = _clock.Elapsed;
        _pace.Next();
        TimeSpan readable = await ReadAllAsync(clients, plan.Conversations, lastFault);
        LoadResult result = await loading;
        int goneOn = await GoOnAsync(clients);
        await done.CancelAsync();
        int restarted = await keeping;
        output.WriteLine($"servers that had ended and were started again: {restarted}");
        Report(result, lastFault, readable, goneOn);

        Assert.Empty(result.Wrong);
        Assert.Equal((plan.Conversations * plan.Turns, plan.Conversations * plan.Turns), (result.Turns.Count, result.Verified));
        Assert.Equal(plan.Conversations, goneOn);
        Assert.Equal(cluster, restarted > 0);
        Assert.True(result.Faults.Count > 0, "no fault met the load");
        Assert.Equal(plan.Conversations, result.Turns.Count(turn => turn.Turn == plan.Turns - 1 && turn.SentAt > lastFault));
        Assert.True(readable < plan.Recovery && LongestAfter(result, lastFault) < plan.Recovery, "something was not usable in time");
    }

    // As whatever runs servers does: starts those that have ended.
    private static async Task<int> KeepAsync(ThreeSilos silos, CancellationToken done)
    {
        int started = 0;
        while (!done.IsCancellationRequested)
        {
            string status = await silos.RunAsync("status");
            foreach (string silo in new[] { "silo-1", "silo-2", "silo-3" }.Where(silo => status.Contains($"{silo}: not running", StringComparison.Ordinal)))
            {
                try
                {
                    await silos.RunAsync("start", silo);
                    started++;
                }
                catch (InvalidOperationException) when (!done.IsCancellationRequested)
                {
                    // What it needs is still away: the next round tries again.
                }
            }

            await Task.Delay(500, CancellationToken.None);
        }

        return started;
    }

    private async Task KillServersAsync(ThreeSilos silos, TimeSpan fault, bool cluster)
    {
        foreach (string silo in new[] { "silo-1", "silo-2", "silo-3" })
        {
            await silos.RunAsync("kill", silo);
            await Task.Delay(fault / 2);
            await StartAsync(silos, silo, mayFail: cluster);
            _pace.Next();
        }
    }

    // A silo that cannot join in time, on a machine that is too busy for it, ends; whatever runs servers starts it again.
    private static async Task StartAsync(ThreeSilos silos, string silo, bool mayFail)
    {
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        while (true)
        {
            try
            {
                await silos.RunAsync("start", silo);
                return;
            }
            catch (InvalidOperationException) when (mayFail && !deadline.IsCancellationRequested)
            {
                await Task.Delay(500, CancellationToken.None);
            }
        }
    }

    private async Task HarmRedisAsync(ThreeSilos silos, TimeSpan fault, bool cluster)
    {
        foreach (string redis in new[] { "blocks", "records" })
        {
            await silos.RunAsync("kill", redis);
            if (cluster && redis == "records")
                await silos.RunAsync("kill", "silo-3");
            await Task.Delay(fault);
            await silos.RunAsync("start", redis);
            _pace.Next();
            await Task.Delay(fault / 2);
            await silos.RunAsync("hang", redis);
            await Task.Delay(fault);
            await silos.RunAsync("resume", redis);
            _pace.Next();
            await Task.Delay(fault / 2);
        }

        await silos.RunAsync("flush");
    }

    // Every conversation from every server; how long after the last fault the last of them was read. Those by which the load checks answers may be deleted meanwhile.
    private async Task<TimeSpan> ReadAllAsync(IReadOnlyList<IConversations> silos, int conversations, TimeSpan lastFault)
    {
        foreach (IConversations silo in silos)
        {
            ConversationSummary[] all = [.. (await PersistAsync(() => silo.ListAsync(KvTiersClientOptions.DefaultTenant))).Where(one => !one.Id.EndsWith("-check", StringComparison.Ordinal))];
            Assert.Equal(conversations, all.Length);
            await Task.WhenAll(all.Select(one => PersistAsync(() => silo.GetAsync(new ConversationKey(KvTiersClientOptions.DefaultTenant, one.Id)))));
        }

        return _clock.Elapsed - lastFault;
    }

    // One more turn of each, on a server of its own. One that was stored although its answer was lost is there when it is said again.
    private async Task<int> GoOnAsync(IReadOnlyList<IConversations> silos)
    {
        IReadOnlyList<ConversationSummary> all = await PersistAsync(() => silos[0].ListAsync(KvTiersClientOptions.DefaultTenant));
        long[] versions = await Task.WhenAll(all.Select((one, i) => PersistAsync(async () =>
        {
            var key = new ConversationKey(KvTiersClientOptions.DefaultTenant, one.Id);
            try
            {
                return (await SharedStore.SayAsync(silos[i % 3], key, "And now?", one.Version)).Version - one.Version;
            }
            catch (ConversationConflictException)
            {
                return (await silos[i % 3].GetAsync(key)).Version - one.Version;
            }
        })));
        return versions.Count(more => more == 1);
    }

    private async Task<T> PersistAsync<T>(Func<Task<T>> call)
    {
        using var deadline = new CancellationTokenSource(_plan.Recovery);
        while (true)
        {
            try
            {
                return await call();
            }
            catch (HttpRequestException) when (!deadline.IsCancellationRequested)
            {
                await Task.Delay(50);
            }
        }
    }

    // Of the turns that ended after the last fault: from it, or from when they were sent, to their end.
    private static TimeSpan LongestAfter(LoadResult result, TimeSpan lastFault) =>
        result.Turns.Where(turn => turn.SentAt + turn.Duration > lastFault)
            .Max(turn => turn.SentAt + turn.Duration - (turn.SentAt > lastFault ? turn.SentAt : lastFault)); // there are some: each last turn waits for that fault

    private void Report(LoadResult result, TimeSpan lastFault, TimeSpan readable, int goneOn)
    {
        output.WriteLine(FormattableString.Invariant(
            $"{result.Turns.Count} turns acknowledged in {result.Seconds:0} s, {result.Turns.Count(turn => turn.SentAt + turn.Duration > lastFault)} of them after the last fault at {lastFault.TotalSeconds:0} s"));
        foreach ((string kind, int count) in result.Faults) output.WriteLine($"failed calls, {kind}: {count}");
        output.WriteLine($"turns given up: {result.FailedTurns}; answers found stored after their acknowledgement was lost: {result.FoundStored}");
        output.WriteLine($"answers compared with the cache off: {result.Verified}; wrong or lost: {result.Wrong.Count}");
        output.WriteLine(FormattableString.Invariant(
            $"all conversations read from every server {readable.TotalSeconds:0.0} s after the last fault; the longest turn then took {LongestAfter(result, lastFault).TotalSeconds:0.0} s; {goneOn} conversations took one more turn"));
        foreach (string wrong in result.Wrong) output.WriteLine(wrong);
    }
}
