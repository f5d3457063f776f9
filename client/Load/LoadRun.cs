using System.Diagnostics;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cli.Load;

/// <summary>Runs all conversations of a load side by side, and checks what is left of them.</summary>
/// <param name="options">What it does.</param>
/// <param name="silos">Where it does it.</param>
/// <param name="mayThink">Called for each turn with its number, from 0; the time to think before it begins when this ends. Null: at once.</param>
/// <param name="clock">What the times of turns are read from, by one who compares them with times of his own; null = it begins with the run.</param>
/// <param name="time">The clock of <see cref="LoadOptions.MaxTime"/>.</param>
internal sealed class LoadRun(LoadOptions options, IReadOnlyList<IConversations> silos, Func<int, Task>? mayThink = null, Stopwatch? clock = null, TimeProvider? time = null)
{
    // Ids of different runs must differ, or the second would find the first one's.
    private readonly string _name = $"load-{Guid.NewGuid():n}"[..13];

    /// <summary>Turns of the load, and as many again when they are verified.</summary>
    public int StepCount => options.Conversations * options.Turns * (options.Verify ? 2 : 1);

    /// <summary>Runs it to its end, or to <see cref="LoadOptions.MaxTime"/>.</summary>
    /// <param name="onTurn">Called after every turn.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <exception cref="TimeoutException">The run took longer than it may.</exception>
    public async Task<LoadResult> RunAsync(Action onTurn, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.MaxTime, time ?? TimeProvider.System);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var tally = new LoadTally();
        Stopwatch since = clock ?? Stopwatch.StartNew();
        try
        {
            TimeSpan[] starts = DrawStarts();
            LoadTurn?[][] taken = await Task.WhenAll(Enumerable.Range(0, options.Conversations)
                .Select(number => TalkAsync(number, starts[number], since, tally, onTurn, bounded.Token))).ConfigureAwait(false);
            TimeSpan duration = since.Elapsed;
            if (options.Verify)
                await VerifyAsync(taken, since, tally, onTurn, bounded.Token).ConfigureAwait(false);
            return new LoadResult(options, tally, duration);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The load was not done after {options.MaxTime}: {tally.Turns.Count} of {options.Conversations * options.Turns} turns were taken. --max-time bounds it.");
        }
    }

    private async Task<LoadTurn?[]> TalkAsync(int number, TimeSpan start, Stopwatch clock, LoadTally tally, Action onTurn, CancellationToken cancellationToken)
    {
        var random = new Random(unchecked((options.Seed * 17) + number));
        LoadScript script = LoadScript.Draw(options, number);
        var turns = new LoadTurn?[script.Steps.Count];
        await DelayAsync(start - clock.Elapsed, cancellationToken).ConfigureAwait(false);
        var conversation = new LoadConversation(silos, KeyOf(number, ""), number, options, tally);
        if (!await conversation.BeginAsync(script.System, cancellationToken).ConfigureAwait(false))
            return turns;
        for (int turn = 0; turn < turns.Length; turn++)
        {
            if (mayThink is not null)
                await mayThink(turn).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (turn > 0)
                await DelayAsync(-Math.Log(1 - random.NextDouble()) * options.Think, cancellationToken).ConfigureAwait(false);
            turns[turn] = await conversation.TakeAsync(script.Steps[turn], turn, useCache: true, clock, cancellationToken).ConfigureAwait(false);
            if (turns[turn] is { } taken)
                tally.Add(taken);
            onTurn();
            if (turns[turn] is null)
                return turns;
        }

        await conversation.CheckAsync(cancellationToken).ConfigureAwait(false);
        return turns;
    }

    // The same turns on fresh conversations with the cache off, side by side as before.
    private Task VerifyAsync(LoadTurn?[][] taken, Stopwatch clock, LoadTally tally, Action onTurn, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, options.Conversations),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
            async (number, token) =>
            {
                LoadScript script = LoadScript.Draw(options, number);
                var conversation = new LoadConversation(silos, KeyOf(number, "-check"), number, options, tally);
                if (!await conversation.BeginAsync(script.System, token).ConfigureAwait(false))
                    return;
                for (int turn = 0; turn < script.Steps.Count && taken[number][turn] is { } original; turn++)
                {
                    if (await conversation.TakeAsync(script.Steps[turn], turn, useCache: false, clock, token).ConfigureAwait(false) is not { } check)
                        return;
                    onTurn();
                    tally.AddVerified();
                    if (check.Answer != original.Answer)
                        tally.AddWrong($"conversation {number}, turn {turn}: the answer from silo {original.Silo} is '{original.Answer}', with the cache off it is '{check.Answer}'");
                }

                await conversation.DeleteAsync(token).ConfigureAwait(false);
            });

    private TimeSpan[] DrawStarts()
    {
        var random = new Random(options.Seed);
        var starts = new TimeSpan[options.Conversations];
        for (int i = 1; i < starts.Length && options.Rate is { } rate; i++)
            starts[i] = starts[i - 1] + TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / rate);
        return starts;
    }

    private ConversationKey KeyOf(int number, string suffix) => new(KvTiersClientOptions.DefaultTenant, $"{_name}-{number}{suffix}");

    private static Task DelayAsync(TimeSpan time, CancellationToken cancellationToken) => time > TimeSpan.Zero ? Task.Delay(time, cancellationToken) : Task.CompletedTask;
}
