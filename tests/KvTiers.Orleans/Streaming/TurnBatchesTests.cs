using KvTiers.Conversations;
using KvTiers.Orleans.Streaming;
using KvTiers.Tests.Shared;
using static KvTiers.Orleans.Tests.Streaming.ScriptedTurn;

namespace KvTiers.Orleans.Tests.Streaming;

public sealed class TurnBatchesTests
{
    private readonly SteppedTime _time = new();
    private readonly ScriptedTurn _turn = new();

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task TheFirstTokenGoesAtOnceAndTheStartWithItWhenItComesSoon()
    {
        await using IAsyncEnumerator<TurnBatch> batches = Read();
        _turn.Report(Started);
        ValueTask<bool> first = batches.MoveNextAsync();
        Assert.False(first.IsCompleted);
        _turn.Report(Token(1), Token(2));
        Assert.Equal([Started, Token(1)], await TakenAsync(batches, first));
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task AStartWhoseTokenIsLateGoesByItself()
    {
        await using IAsyncEnumerator<TurnBatch> batches = Read();
        ValueTask<bool> first = batches.MoveNextAsync();
        _time.Advance(10 * TurnBatches.Pace);
        _turn.Report(Started);
        await _time.UntilAwaitedAsync(TurnBatches.Pace);
        Assert.False(first.IsCompleted);
        _time.Advance(TurnBatches.Pace);
        Assert.Equal([Started], await TakenAsync(batches, first));
        _turn.Report(Token(1), Token(2));
        Assert.Equal([Token(1)], await TakenAsync(batches, batches.MoveNextAsync()));
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task TokensThatComeSoonGoTogetherInTheirOrderAndTheEndAtOnce()
    {
        await using IAsyncEnumerator<TurnBatch> batches = Read();
        await BeginAsync(batches);

        _turn.Report(Token(2), Token(3), Token(4));
        ValueTask<bool> second = batches.MoveNextAsync();
        Assert.False(second.IsCompleted);
        _time.Advance(TurnBatches.Pace);
        Assert.Equal([Token(2), Token(3), Token(4)], await TakenAsync(batches, second));

        _turn.Report(Token(5), Completed);
        Assert.Equal([Token(5), Completed], await TakenAsync(batches, batches.MoveNextAsync()));
        Assert.False(await batches.MoveNextAsync());
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ATokenThatComesLateDoesNotWait()
    {
        await using IAsyncEnumerator<TurnBatch> batches = Read();
        await BeginAsync(batches);
        _time.Advance(TurnBatches.Pace);
        _turn.Report(Token(2));
        Assert.Equal([Token(2)], await TakenAsync(batches, batches.MoveNextAsync()));
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task AMessageHasABoundedNumberOfEvents()
    {
        await using IAsyncEnumerator<TurnBatch> batches = Read();
        TurnToken[] tokens = [.. Enumerable.Range(1, (2 * TurnBatches.MaxEvents) + 1).Select(Token)];
        _turn.Report([Started, .. tokens, Completed]);
        List<int> counts = [];
        List<TurnEvent> all = [];
        while (await batches.MoveNextAsync())
        {
            counts.Add(batches.Current.Events.Count());
            all.AddRange(batches.Current.Events);
        }

        Assert.Equal([2, TurnBatches.MaxEvents, TurnBatches.MaxEvents, 1], counts);
        Assert.Equal([Started, .. tokens, Completed], all);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task WhatCameBeforeAnErrorIsTold()
    {
        await using IAsyncEnumerator<TurnBatch> batches = Read();
        await BeginAsync(batches);
        _turn.Report(Token(2));
        _turn.Fail(new IOException("gone"));
        Assert.Equal([Token(2)], await TakenAsync(batches, batches.MoveNextAsync()));
        await Assert.ThrowsAsync<IOException>(async () => await batches.MoveNextAsync());
        Assert.True(_turn.HasEnded);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task LeavingBetweenMessagesEndsTheTurn()
    {
        IAsyncEnumerator<TurnBatch> batches = Read();
        await BeginAsync(batches);
        _turn.Report(Token(2));
        ValueTask<bool> second = batches.MoveNextAsync();
        _time.Advance(TurnBatches.Pace);
        await TakenAsync(batches, second);
        Assert.False(_turn.HasEnded);
        await batches.DisposeAsync();
        Assert.True(_turn.HasEnded);
    }

    private async Task BeginAsync(IAsyncEnumerator<TurnBatch> batches)
    {
        _turn.Report(Started, Token(1));
        await TakenAsync(batches, batches.MoveNextAsync());
    }

    private IAsyncEnumerator<TurnBatch> Read() => TurnBatches.ReadAsync(_turn.ReadAsync(), _time).GetAsyncEnumerator();

    private static async Task<IEnumerable<TurnEvent>> TakenAsync(IAsyncEnumerator<TurnBatch> batches, ValueTask<bool> moving)
    {
        Assert.True(await moving);
        return batches.Current.Events;
    }
}
