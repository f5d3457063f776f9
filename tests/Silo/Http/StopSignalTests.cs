using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;
using Microsoft.Extensions.Hosting;

namespace KvTiers.Silo.Tests.Http;

public sealed class StopSignalTests : IDisposable
{
    private readonly Lifetime _lifetime = new();
    private readonly StopSignal _stop;

    public StopSignalTests() => _stop = new StopSignal(_lifetime, new SiloOptions { StopGrace = TimeSpan.FromHours(1) }, TimeProvider.System);

    public void Dispose() => _stop.Dispose();

    [Fact]
    public void TheFirstCtrlCLetsTurnsRun()
    {
        _stop.Interrupted();
        _lifetime.StopApplication();
        Assert.True(_stop.IsStopping);
        Assert.False(_stop.EndTurns.IsCancellationRequested);
    }

    [Fact]
    public void TheSecondEndsThem()
    {
        _stop.Interrupted();
        _lifetime.StopApplication();
        _stop.Interrupted();
        Assert.True(_stop.EndTurns.IsCancellationRequested);
    }

    /// <summary>Each comes on a thread of its own. Turns that end then are told that the server stops.</summary>
    [Fact]
    public void TheSecondEndsThemEvenBeforeTheHostHasSeenTheFirst()
    {
        _stop.Interrupted();
        Assert.False(_stop.IsStopping);
        _stop.Interrupted();
        Assert.True(_stop.EndTurns.IsCancellationRequested);
        Assert.True(_stop.IsStopping);
    }

    [Fact]
    public void OneCtrlCIsEnoughForAServerThatAlreadyStops()
    {
        _lifetime.StopApplication();
        Assert.False(_stop.EndTurns.IsCancellationRequested);
        _stop.Interrupted();
        Assert.True(_stop.EndTurns.IsCancellationRequested);
    }

    [Fact]
    public void ACtrlCWhileTheProcessEndsHurtsNobody()
    {
        _lifetime.StopApplication();
        _stop.Dispose();
        _stop.Interrupted();
        _stop.Interrupted();
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();
    }
}
