using KvTiers.Conversations;
using KvTiers.Orleans.Streaming;
using KvTiers.Tests.Shared;
using static KvTiers.Orleans.Tests.Streaming.ScriptedTurn;

namespace KvTiers.Orleans.Tests.Streaming;

public sealed class ResidenceTests
{
    private readonly Residence _residence = new();
    private readonly ScriptedTurn _turn = new();

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ItIsBusyFromTheFirstTurnToTheEndOfTheLast()
    {
        Assert.True(_residence.TryEnter(out bool isFirst));
        Assert.True(isFirst);
        Task idle = _residence.WhenIdleAsync();
        Assert.True(_residence.TryEnter(out isFirst));
        Assert.False(isFirst);
        _turn.Report(Started, Token(1), Completed);
        Assert.Equal([Started, Token(1), Completed], await ReadAsync());
        Assert.False(idle.IsCompleted);
        _residence.Leave();
        await idle;
        Assert.True(_residence.WhenIdleAsync().IsCompleted);
        Assert.True(_residence.TryEnter(out isFirst));
        Assert.True(isFirst);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ClosingEndsTheTurnsAndLetsNoneIn()
    {
        Assert.True(_residence.TryEnter(out _));
        Task<List<TurnEvent>> reading = ReadAsync();
        Task closing = _residence.CloseAsync(new CancellationToken(canceled: true));
        await Assert.ThrowsAsync<ConversationUnreachableException>(() => reading);
        await closing;
        Assert.True(_turn.HasEnded);
        Assert.False(_residence.TryEnter(out _));
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ClosingWaitsForATurnThatMayGoOn()
    {
        using var late = new CancellationTokenSource();
        Assert.True(_residence.TryEnter(out _));
        Task<List<TurnEvent>> reading = ReadAsync();
        Task closing = _residence.CloseAsync(late.Token);
        Assert.False(_residence.TryEnter(out _));
        _turn.Report(Started, Token(1), Completed);
        Assert.Equal([Started, Token(1), Completed], await reading);
        await closing;
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ClosingEndsATurnThatMayGoOnWhenItIsLate()
    {
        using var late = new CancellationTokenSource();
        Assert.True(_residence.TryEnter(out _));
        Task<List<TurnEvent>> reading = ReadAsync();
        Task closing = _residence.CloseAsync(late.Token);
        await late.CancelAsync();
        await Assert.ThrowsAsync<ConversationUnreachableException>(() => reading);
        await closing;
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task WhoCancelsHasCancelled()
    {
        Assert.True(_residence.TryEnter(out _));
        using var leaving = new CancellationTokenSource();
        Task<List<TurnEvent>> reading = ReadAsync(leaving.Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.True(_residence.WhenIdleAsync().IsCompleted);
    }

    [Fact(Timeout = HangLimit.Milliseconds)]
    public async Task ATurnThatCannotBeginLeavesToo()
    {
        Assert.True(_residence.TryEnter(out _));
        await Assert.ThrowsAsync<ArgumentException>(async () => await _residence.ReadAsync(() => throw new ArgumentException("bad")).ToListAsync());
        Assert.True(_residence.WhenIdleAsync().IsCompleted);
    }

    private Task<List<TurnEvent>> ReadAsync(CancellationToken cancellationToken = default) => _residence.ReadAsync(() => _turn.ReadAsync(), cancellationToken).ToListAsync(CancellationToken.None).AsTask();
}
