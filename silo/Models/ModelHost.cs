using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Redis;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;
using KvTiers.Tiers;

namespace KvTiers.Silo.Models;

/// <summary>Loads the model while the server already answers health checks, and gives it to the requests.</summary>
/// <remarks>A model that cannot be loaded stops the server; <see cref="Failure"/> then says why.</remarks>
internal sealed partial class ModelHost(
    SiloOptions options, ApiKeys keys, ModelLoader loader, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ModelHost> logger) : IHostedService, IAsyncDisposable
{
    private readonly long _startedAt = time.GetTimestamp();
    private readonly CancellationTokenSource _ended = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping);
    private volatile LoadedModel? _model;
    private Task _loading = Task.CompletedTask;

    /// <summary>Why the model could not be loaded; null = it could, or loading goes on.</summary>
    public StartException? Failure { get; private set; }

    /// <summary>Why no turn can be taken now; null = one can.</summary>
    public string? NotReadyReason => _model is not null ? null
        : loader.WaitsFor is { } missing ? $"waiting for {missing}"
        : $"the model is loading from {options.Model}, or the silo starts";

    /// <summary>Why turns compute more than they would, or some are refused; empty = nothing is amiss.</summary>
    public IReadOnlyList<string> DegradedReasons => [.. KeyReasons, .. StoreReasons, .. TierReasons];

    private IEnumerable<string> KeyReasons => keys.Problem is null ? [] : ["the key file is no good since it changed, and what it held before is in force; the log says what is wrong with it"];

    private IEnumerable<string> StoreReasons
    {
        get
        {
            if (_model?.ChatParts.Store?.Failure is { } failure)
                yield return $"{failure} Calls of stored conversations are refused until that is over";
            if (_model?.ChatParts.Store is RedisConversationStore { Trouble: { } trouble })
                yield return trouble;
        }
    }

    private IEnumerable<string> TierReasons
    {
        get
        {
            IReadOnlyList<TierUsage> tiers = _model?.Engine.Tiers?.Usage ?? [];
            return
            [
                .. tiers.Where(tier => tier.IsDegraded).Select(tier => $"the tier '{tier.Name}' failed too often and is left alone for now; what it holds is computed"),
                .. tiers.Select(tier => tier.Trouble).OfType<string>(),
            ];
        }
    }

    /// <summary>The loaded model.</summary>
    /// <exception cref="ApiException">503: it is not loaded yet.</exception>
    public LoadedModel Model => _model ?? throw ApiException.Unavailable(
        loader.WaitsFor is { } missing ? $"The server is not ready: it waits for {missing}." : "The model is still loading. Try again soon.", "model_loading");

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        BeginLoading();
        return Task.CompletedTask;
    }

    /// <summary>Begins to load the model, unless that has begun: beside what else is made before the server starts.</summary>
    public void BeginLoading()
    {
        if (_loading == Task.CompletedTask) _loading = Task.Run(LoadAsync, CancellationToken.None);
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _loading;
        if (_model is { } model) await model.DisposeAsync();
        _model = null;
    }

    /// <summary>Ends a loading whose server was never started.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await StopAsync(CancellationToken.None);
    }

    private async Task LoadAsync()
    {
        LoadedModel? model = null;
        try
        {
            model = await loader.LoadAsync(_ended.Token);
            CollectWhatLoadingLeft();
            await StartedAsync();
            _model = model;
            Ready(logger, time.GetElapsedTime(_startedAt).TotalSeconds);

            // Only now: each takes a processor for a while and holds up whoever maps memory, such as the compiler of the code that the start runs.
            await model.Weights.MoveToHugePagesAsync(_ended.Token);
            model.Cache.StartPrefault();
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The server stops before it was ready.
        }
        catch (StartException e)
        {
            Failure = e;
            lifetime.StopApplication();
        }
        catch (Exception e)
        {
            bool isExpected = e is ModelFormatException or TokenizerFormatException or IOException or UnauthorizedAccessException or ArgumentException or OutOfMemoryException;
            if (!isExpected) LoadingFailed(logger, e);
            Failure = new StartException($"The model in '{options.Model}' cannot be used: {e.Message}", e);
            lifetime.StopApplication();
        }
        finally
        {
            if (_model is null && model is not null) await model.DisposeAsync();
        }
    }

    // A conversation is a grain: no turn before the silo runs.
    private async Task StartedAsync()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration _ = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(_ended.Token);
    }

    // So that no turn waits for it. Twice, because the collector lets the oldest generation grow by as much again as survived its last collection of it,
    // and of the second everything does: the state of thousands of turns fits in before the next full collection.
    private static void CollectWhatLoadingLeft()
    {
        GC.Collect();
        GC.Collect();
    }

    [LoggerMessage(1, LogLevel.Error, "Loading the model failed")]
    private static partial void LoadingFailed(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Information, "Ready after {Seconds:0.00} s")]
    private static partial void Ready(ILogger logger, double seconds);
}
