using System.Collections.Concurrent;
using System.Net;
using System.Text;
using KvTiers.Tests.Shared;

namespace KvTiers.Silo.Tests.Processes;

public sealed class TelemetryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task MetricsAndTracesGoToTheCollectorThatTheStandardVariableNames()
    {
        using var collector = new HttpListener();
        string url = $"http://127.0.0.1:{TestPorts.Take()}/";
        collector.Prefixes.Add(url);
        collector.Start();
        var received = new ConcurrentDictionary<string, string>();
        Task receiving = ReceiveAsync(collector, received);
        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "my-own-name",
        };

        await using SiloProcess silo = await SiloProcess.StartReadyAsync(TestModels.Tiny, _folder.FullName, environment);
        await silo.Http.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1}""");
        // What is not sent yet is sent at the end.
        silo.Interrupt();
        Assert.Equal(0, await silo.WaitForExitAsync());
        collector.Stop();
        await receiving;

        Assert.Contains("kvtiers.engine.steps", received["/v1/metrics"]);
        Assert.Contains("my-own-name", received["/v1/metrics"]);
        Assert.Contains("POST /v1/completions", received["/v1/traces"]);
        Assert.Contains("kvtiers.cached_tokens", received["/v1/traces"]);
    }

    [Fact]
    public async Task AnAddressThatIsNoneStopsTheStart()
    {
        await using var silo = SiloProcess.Start(
            _folder.FullName, new Dictionary<string, string> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "collector" }, "--model", TestModels.Tiny);

        Assert.Equal(1, await silo.WaitForExitAsync());
        Assert.StartsWith("kvtiers-silo: OTEL_EXPORTER_OTLP_ENDPOINT = 'collector': must be an http:// or https:// address.", silo.Errors);
    }

    private static async Task ReceiveAsync(HttpListener collector, ConcurrentDictionary<string, string> received)
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = await collector.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                string text = Encoding.Latin1.GetString(body.ToArray());
                received.AddOrUpdate(context.Request.Url!.AbsolutePath, text, (_, before) => before + text);
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The collector was stopped.
        }
    }
}
