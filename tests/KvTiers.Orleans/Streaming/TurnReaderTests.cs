using KvTiers.Orleans.Streaming;
using KvTiers.Tests.Shared;
using static KvTiers.Orleans.Tests.Streaming.ScriptedTurn;

namespace KvTiers.Orleans.Tests.Streaming;

public sealed class TurnReaderTests
{
    private readonly SteppedTime _time = new();
    private readonly ScriptedTurn _turn = new();

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task FetchesAreAnsweredByNumberWhateverTheirOrder()
    {
        await using TurnReader reader = new(_time);
        Task<TurnBatch> second = reader.FetchAsync(1);
        Task<TurnBatch> first = reader.FetchAsync(0);
        reader.Begin(() => _turn.ReadAsync());
        _turn.Report(Started, Token(1), Token(2), Completed);
        Assert.Equal([Started], (await first).Events);
        Assert.Equal([Token(1)], (await second).Events);
        Assert.Equal([Token(2), Completed], (await reader.FetchAsync(2)).Events);
        Assert.True((await reader.FetchAsync(3)).IsOver);
        Assert.True(reader.IsOver);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task WhatWasNotFetchedStaysWithTheTurn()
    {
        await using TurnReader reader = new(_time);
        reader.Begin(() => _turn.ReadAsync());
        _turn.Report(Started, Token(1), Token(2), Token(3), Completed);
        Assert.Equal([Started], (await reader.FetchAsync(0)).Events);
        Assert.Equal([Token(1)], (await reader.FetchAsync(1)).Events);
        Assert.False(_turn.HasEnded);
        Assert.Equal([Token(2), Token(3), Completed], (await reader.FetchAsync(2)).Events);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task AFetchOfWhichNothingComesIsAnsweredWithNothingAndTheNextOneGoesOn()
    {
        await using TurnReader reader = new(_time);
        reader.Begin(() => _turn.ReadAsync());
        Task<TurnBatch> first = reader.FetchAsync(0);
        await _time.UntilAwaitedAsync(TurnReader.LongestWait);
        _time.Advance(TurnReader.LongestWait);
        Assert.Empty((await first).Events);
        Assert.False((await first).IsOver);
        Task<TurnBatch> second = reader.FetchAsync(1);
        _turn.Report(Started);
        Assert.Equal([Started], (await second).Events);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ACallerThatAsksForNothingIsGoneAndTheTurnEnds()
    {
        await using TurnReader reader = new(_time);
        reader.Begin(() => _turn.ReadAsync());
        _turn.Report(Started);
        await reader.FetchAsync(0);
        await _time.UntilAwaitedAsync(TurnReader.LongestSilence);
        _time.Advance(TurnReader.LongestSilence);
        await Eventually.TrueAsync(() => reader.IsOver);
        Assert.True(_turn.HasEnded);
        Assert.True((await reader.FetchAsync(1)).IsOver);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task LeavingEndsTheTurnAndAnswersWhoStillWaits()
    {
        TurnReader reader = new(_time);
        reader.Begin(() => _turn.ReadAsync());
        _turn.Report(Started);
        await reader.FetchAsync(0);
        Task<TurnBatch> waiting = reader.FetchAsync(1), ahead = reader.FetchAsync(2);
        await reader.DisposeAsync();
        Assert.True(_turn.HasEnded);
        Assert.True((await waiting).IsOver);
        Assert.True((await ahead).IsOver);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task AnErrorAnswersTheFetchThatMeetsItAndNothingFollows()
    {
        await using TurnReader reader = new(_time);
        reader.Begin(() => throw new ArgumentException("bad", "MaxTokens"));
        Task<TurnBatch> first = reader.FetchAsync(0), second = reader.FetchAsync(1);
        Assert.Equal("MaxTokens", (await Assert.ThrowsAsync<ArgumentException>(() => first)).ParamName);
        Assert.True((await second).IsOver);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ATurnThatWasLeftBeforeItBeganDoesNotRun()
    {
        TurnReader reader = new(_time);
        Task<TurnBatch> early = reader.FetchAsync(1);
        await reader.DisposeAsync();
        reader.Begin(() => _turn.ReadAsync());
        Assert.True((await early).IsOver);
        Assert.True((await reader.FetchAsync(0)).IsOver);
    }
}
