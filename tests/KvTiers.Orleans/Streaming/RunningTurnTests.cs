using KvTiers.Conversations;
using KvTiers.Orleans.Streaming;
using KvTiers.Tests.Shared;
using static KvTiers.Orleans.Tests.Streaming.ScriptedTurn;

namespace KvTiers.Orleans.Tests.Streaming;

public sealed class RunningTurnTests
{
    private readonly SteppedTime _time = new();
    private readonly ScriptedTurn _turn = new();

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ItsBatchesComeOneAfterTheOther()
    {
        await using RunningTurn running = Begin();
        _turn.Report(Started, Token(1), Token(2), Completed);
        List<TurnEvent> events = [];
        while (await running.MoveNextAsync())
            events.AddRange(running.Current.Events);
        Assert.Equal([Started, Token(1), Token(2), Completed], events);
        Assert.True(_turn.HasEnded);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task WhatIsNotAskedForStaysWithTheTurn()
    {
        await using RunningTurn running = Begin();
        _turn.Report(Started, Token(1), Token(2), Token(3), Completed);
        Assert.True(await running.MoveNextAsync());
        Assert.False(_turn.HasEnded);
        Assert.True(await running.MoveNextAsync());
        Assert.Equal([Token(2), Token(3), Completed], running.Current.Events);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task EndingItEndsTheTurnWhetherOrNotABatchIsWaitedFor()
    {
        RunningTurn running = Begin();
        Task<bool> waiting = running.MoveNextAsync();
        await running.DisposeAsync();
        Assert.True(_turn.HasEnded);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        var other = new ScriptedTurn();
        RunningTurn idle = new(other.ReadAsync(), _time, CancellationToken.None);
        other.Report(Started, Token(1));
        Assert.True(await idle.MoveNextAsync());
        await idle.DisposeAsync();
        Assert.True(other.HasEnded);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ItMayBeEndedTwiceAtOnce()
    {
        RunningTurn running = Begin();
        _turn.Report(Started);
        Task<bool> waiting = running.MoveNextAsync();
        await Task.WhenAll(running.DisposeAsync().AsTask(), running.DisposeAsync().AsTask());
        Assert.True(_turn.HasEnded);
        await Record.ExceptionAsync(() => waiting);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ItsTokenEndsIt()
    {
        using var leaving = new CancellationTokenSource();
        await using RunningTurn running = new(_turn.ReadAsync(), _time, leaving.Token);
        Task<bool> waiting = running.MoveNextAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.True(_turn.HasEnded);
    }

    private RunningTurn Begin() => new(_turn.ReadAsync(), _time, CancellationToken.None);
}
