using KvTiers.Silo.Configuration;
using KvTiers.Silo.Hosting;
using KvTiers.Silo.Models;
using KvTiers.Tests.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Silo.Tests;

/// <summary>The real server in this process, on a free port of loopback.</summary>
internal sealed class SiloServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TemporaryFolder? _data;

    private SiloServer(WebApplication app, TemporaryFolder? data)
    {
        _app = app;
        _data = data;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = HangLimit.Time };
    }

    /// <summary>Speaks to the server.</summary>
    public HttpClient Http { get; }

    /// <summary>Where the server listens.</summary>
    public Uri Url => Http.BaseAddress!;

    /// <summary>Its data folder.</summary>
    public string Data => _app.Services.GetRequiredService<SiloOptions>().Data;

    /// <summary>The model that answers.</summary>
    public LoadedModel Model => _app.Services.GetRequiredService<ModelHost>().Model;

    /// <summary>The server's services.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Starts a server with the tiny model and, unless they say otherwise, a data folder of its own; it is ready when this returns.</summary>
    public static Task<SiloServer> StartAsync(params string[] arguments) => StartAsync(null, arguments);

    /// <summary>As above, with a say in the server's services.</summary>
    public static async Task<SiloServer> StartAsync(Action<IServiceCollection>? configure, params string[] arguments)
    {
        SiloServer server = await ListenAsync(configure, arguments);
        await server.UntilReadyAsync();
        return server;
    }

    /// <summary>The same, but it only listens when this returns.</summary>
    public static async Task<SiloServer> ListenAsync(Action<IServiceCollection>? configure, params string[] arguments)
    {
        TemporaryFolder? data = arguments.Contains("--data") ? null : new TemporaryFolder();
        List<string> all = ["--urls", "http://127.0.0.1:0", "--hot", "32MiB", "--threads", "1", "--Logging:LogLevel:Default=Warning"];
        if (data is not null) all.AddRange(["--data", data.FullName]);
        if (!arguments.Contains("--model")) all.AddRange(["--model", TestModels.Tiny]);
        WebApplication app = SiloApplication.Create(CommandLine.Parse([.. all, .. arguments]), configure);
        ModelHost host = app.Services.GetRequiredService<ModelHost>();
        try
        {
            await app.StartAsync();
        }
        catch (Exception) when (host.Failure is not null)
        {
            throw host.Failure;
        }

        return new SiloServer(app, data);
    }

    /// <summary>Waits until it takes turns.</summary>
    public async Task UntilReadyAsync()
    {
        ModelHost host = Services.GetRequiredService<ModelHost>();
        while (host.NotReadyReason is not null)
        {
            if (host.Failure is { } failure) throw failure;
            await Task.Delay(10);
        }
    }

    /// <summary>Asks the server to stop, as Ctrl-C does, and waits until it has.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _data?.Dispose();
    }
}
