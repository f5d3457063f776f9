using KvTiers.Silo.Anthropic;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Conversations;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Limits;
using KvTiers.Silo.Models;
using KvTiers.Silo.OpenAi;
using KvTiers.Silo.Operations;
using KvTiers.Silo.Operations.Metrics;
using KvTiers.Silo.Responses;
using KvTiers.Silo.Turns;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Configuration.Memory;
using Orleans.Dashboard;

namespace KvTiers.Silo.Hosting;

/// <summary>Puts the server together: settings, services, routes.</summary>
internal static class SiloApplication
{
    private static readonly Dictionary<string, string?> DefaultSettings = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:Orleans"] = "Warning",
        ["Logging:LogLevel:Polly"] = "Warning",
        // The service's own base class logs that it starts and stops.
        ["Logging:LogLevel:KvTiers.Orleans.Placement.SiloReports"] = "Warning",
        // They warn at every start: of the garbage collector that is chosen here, and that no check ran before the first one.
        ["Logging:LogLevel:Orleans.Runtime.Silo"] = "None",
        ["Logging:LogLevel:Orleans.Runtime.Watchdog"] = "Error",
        ["Logging:LogLevel:Orleans.Runtime.SiloLifecycleSubject"] = "None",
        // What keeps the server from starting is told in one line of our own.
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "None",
        ["Logging:Console:FormatterName"] = "simple",
        ["Logging:Console:FormatterOptions:SingleLine"] = "true",
        ["Logging:Console:FormatterOptions:TimestampFormat"] = "HH:mm:ss ",
    };

    private static readonly string[] ExposedHeaders = [RequestIdMiddleware.Header, "request-id", "retry-after", "location", .. RateMiddleware.Headers];

    // How long a browser remembers that it may ask.
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    // Beyond the grace period, for the last events of turns that were ended to reach their callers.
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(10);

    /// <summary>The server, ready to start.</summary>
    /// <param name="commandLine">The settings given at start.</param>
    /// <param name="configure">Adds to the services, or replaces some.</param>
    /// <exception cref="StartException">A setting is wrong.</exception>
    public static WebApplication Create(CommandLine commandLine, Action<IServiceCollection>? configure = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = ContentRoot(),
            EnvironmentName = commandLine.Settings.LastOrDefault(setting => setting.Key == "environment").Value,
        });
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = DefaultSettings });
        builder.Configuration.AddInMemoryCollection(commandLine.Settings);

        SiloOptions options = SiloOptionsReader.Read(builder.Configuration);
        DataFolder.Prepare(options.Data);
        ApiKeys keys = options.ApiKeyFile is { } file ? ApiKeys.Load(file) : ApiKeys.None;
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseUrls([.. options.Urls]);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        });
        AddServices(builder.Services, options, keys);
        SiloComposition.Add(builder, options);

        configure?.Invoke(builder.Services);
        if (Telemetry.Start(options) is { } telemetry) builder.Services.AddHostedService(_ => telemetry);

        WebApplication app = builder.Build();
        app.Services.GetRequiredService<ModelHost>().BeginLoading();
        MapRoutes(app);
        return app;
    }

    // The .NET way is the working directory; a server started from elsewhere still finds the settings beside its assembly.
    private static string ContentRoot() =>
        File.Exists(Path.Combine(Directory.GetCurrentDirectory(), "appsettings.json")) ? Directory.GetCurrentDirectory() : AppContext.BaseDirectory;

    private static void AddServices(IServiceCollection services, SiloOptions options, ApiKeys keys)
    {
        services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = options.StopGrace + StopMargin;
            host.ServicesStartConcurrently = true;
        });
        services.AddSingleton(options);
        services.AddSingleton(keys);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<StopSignal>();
        services.AddSingleton<RequestReader>();
        services.AddSingleton<OriginRules>();
        services.AddRequestDecompression();
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<OriginRules>((cors, rules) => cors.AddDefaultPolicy(policy => policy
            .SetIsOriginAllowed(rules.AllowsOrigin)
            .AllowAnyHeader()
            .AllowAnyMethod()
            .WithExposedHeaders(ExposedHeaders)
            .SetPreflightMaxAge(PreflightAge)));
        LimitComposition.Add(services, options);
        services.AddSingleton<TenantRates>();
        services.AddSingleton<Refusals>();
        services.AddSingleton<TurnGate>();
        services.AddHostedService<ApiKeyWatch>();
        services.AddSingleton<MetricCollector>();
        services.AddSingleton<ProcessMetrics>();
        services.AddSingleton<SiloMetrics>();
        services.AddSingleton<AnswerAccount>();
        services.AddSingleton<ModelLoader>();
        services.AddSingleton<ModelHost>();
        services.AddHostedService(provider => provider.GetRequiredService<ModelHost>());
        services.AddHostedService<StartReport>();
        services.AddHostedService<HealthWatch>();
        services.AddSingleton<ChatCompletionRoute>();
        services.AddSingleton<TextCompletionRoute>();
        services.AddSingleton<EmbeddingsRoute>();
        services.AddSingleton<ModelRoutes>();
        services.AddSingleton<TokenRoutes>();
        services.AddSingleton<RootRoutes>();
        services.AddSingleton<OpenApiRoute>();
        services.AddSingleton<IErrorFormat, AnthropicErrorFormat>();
        services.AddSingleton<IErrorFormat, ResponsesErrorFormat>();
        services.AddSingleton<ErrorFormats>();
        services.AddSingleton<Breakpoints>();
        services.AddSingleton<MessagesRoutes>();
        services.AddSingleton<ResponseStore>();
        services.AddSingleton<ResponseRoutes>();
        services.AddSingleton<StoredResponseRoutes>();
        services.AddSingleton<ConversationRoutes>();
        services.AddSingleton<HealthRoutes>();
        services.AddSingleton<MetricsRoute>();
        services.AddSingleton<AdminRoutes>();
    }

    private static void MapRoutes(WebApplication app)
    {
        // Made now, so that the collector listens before the first measurement.
        app.Services.GetRequiredService<MetricCollector>();
        app.Services.GetRequiredService<ProcessMetrics>();

        app.UseMiddleware<RequestIdMiddleware>();
        app.UseMiddleware<HeadMiddleware>();
        app.UseRouting();
        app.UseMiddleware<RequestTelemetryMiddleware>();
        app.UseMiddleware<ApiErrorMiddleware>();
        app.UseStatusCodePages(StatusBody.WriteAsync);
        app.UseMiddleware<OriginMiddleware>();
        app.UseCors();
        app.UseMiddleware<AccessMiddleware>();
        app.UseMiddleware<RateMiddleware>();
        app.UseRequestDecompression();
        app.UseMiddleware<BodyEncodingMiddleware>();
        app.Services.GetRequiredService<ChatCompletionRoute>().Map(app);
        app.Services.GetRequiredService<TextCompletionRoute>().Map(app);
        app.Services.GetRequiredService<EmbeddingsRoute>().Map(app);
        app.Services.GetRequiredService<ModelRoutes>().Map(app);
        app.Services.GetRequiredService<TokenRoutes>().Map(app);
        app.Services.GetRequiredService<RootRoutes>().Map(app);
        app.Services.GetRequiredService<OpenApiRoute>().Map(app);
        app.Services.GetRequiredService<MessagesRoutes>().Map(app);
        app.Services.GetRequiredService<ResponseRoutes>().Map(app);
        app.Services.GetRequiredService<StoredResponseRoutes>().Map(app);
        app.Services.GetRequiredService<ConversationRoutes>().Map(app);
        app.Services.GetRequiredService<HealthRoutes>().Map(app);
        app.Services.GetRequiredService<MetricsRoute>().Map(app);
        app.Services.GetRequiredService<AdminRoutes>().Map(app);
        if (app.Services.GetRequiredService<SiloOptions>().Orleans.Dashboard)
            app.MapOrleansDashboard("/orleans").WithMetadata(new AccessRequirement(AccessLevel.Administrator));
    }
}
