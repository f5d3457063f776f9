using KvTiers.Silo.Configuration;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace KvTiers.Silo.Operations;

/// <summary>Sends metrics and traces to an OTLP collector when the standard variable <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set.</summary>
internal sealed class Telemetry : IHostedService, IDisposable
{
    private const int FlushMilliseconds = 5_000;
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private readonly MeterProvider _meters;
    private readonly TracerProvider _traces;

    private Telemetry(SiloOptions options)
    {
        // The variables come last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
        ResourceBuilder resource = ResourceBuilder.CreateEmpty()
            .AddService("kvtiers-silo", serviceInstanceId: options.Name)
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector();
        _meters = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter("KvTiers*").AddOtlpExporter().Build();
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource("KvTiers*", "Microsoft.AspNetCore", "Microsoft.Orleans.*").AddOtlpExporter().Build();
    }

    /// <summary>Starts sending, when a collector is named.</summary>
    /// <exception cref="StartException">The collector's address is none.</exception>
    public static Telemetry? Start(SiloOptions options)
    {
        string? endpoint = Environment.GetEnvironmentVariable(Endpoint);
        if (string.IsNullOrWhiteSpace(endpoint)) return null;
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
            throw new StartException(new SettingError(Endpoint, endpoint, "an http:// or https:// address").ToString());
        return new Telemetry(options);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Sends what is left while the meters of what stops after this are still there.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            _meters.ForceFlush(FlushMilliseconds);
            _traces.ForceFlush(FlushMilliseconds);
        },
        CancellationToken.None);

    /// <summary>Stops sending.</summary>
    public void Dispose()
    {
        _meters.Dispose();
        _traces.Dispose();
    }
}
