using KvTiers.Cli.Commands;
using KvTiers.Silo.Configuration;
using Microsoft.Extensions.Configuration;

namespace KvTiers.Cluster.Tests.Compose;

/// <summary>What of <c>docker-compose.yml</c> and <c>Dockerfile</c> can be held against the settings, the script and the sources without Docker.</summary>
public sealed class ComposeTests : IDisposable
{
    private const string Key = "0123456789abcdef";
    private static readonly string[] Silos = ["silo-1", "silo-2", "silo-3"];

    // What may stand at a service's top, by the compose specification.
    private static readonly string[] ServiceKeys =
        ["image", "build", "command", "user", "cap_drop", "restart", "healthcheck", "environment", "configs", "depends_on", "stop_grace_period", "ports", "volumes", "profiles"];

    private readonly TemporaryFolder _folder = new();
    private readonly ComposeFile _compose = ComposeFile.Load(new Dictionary<string, string> { ["KVTIERS_API_KEY"] = Key, ["KVTIERS_ADMIN_KEY"] = "fedcba9876543210", ["KVTIERS_RECORD_KEY"] = new string('7', 64) });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ServicesUseOnlyWhatComposeKnowsAndWhatIsDeclared()
    {
        Assert.Equal(["blocks", "load", "records", .. Silos], _compose.Services.Order(StringComparer.Ordinal));
        foreach (string service in _compose.Services)
        {
            Assert.Empty(_compose.Keys("services", service).Except(ServiceKeys));
            Assert.All(_compose.Keys("services", service, "depends_on"), other => Assert.Contains(other, _compose.Services));
            Assert.All(_compose.Keys("services", service, "depends_on"), other => Assert.NotNull(_compose.Map("services", other, "healthcheck")));
            Assert.All(_compose.List("services", service, "volumes"), volume => Assert.Contains(volume.Split(':')[0], _compose.Keys("volumes")));
            Assert.Equal(["ALL"], _compose.List("services", service, "cap_drop"));
        }

        Assert.Equal(_compose.Keys("volumes").Order(), _compose.Services.SelectMany(service => _compose.List("services", service, "volumes")).Select(volume => volume.Split(':')[0]).Order());
        Assert.Equal(["load"], _compose.List("services", "load", "profiles"));
    }

    [Theory]
    [InlineData("blocks")]
    [InlineData("records")]
    [InlineData("silo-1")]
    [InlineData("silo-2")]
    [InlineData("silo-3")]
    public async Task AServiceRunsWhatTheScriptRuns(string service)
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "bash is not installed");
        IReadOnlyList<string> plain = (await ThreeSilos.CommandAsync(service))
            .Select(argument => argument
                .Replace($"http://127.0.0.1:{5080 + Math.Max(0, service[^1] - '0')}", "http://0.0.0.0:5080", StringComparison.Ordinal)
                .Replace("127.0.0.1:6391", "blocks:6379", StringComparison.Ordinal)
                .Replace("127.0.0.1:6392", "records:6379", StringComparison.Ordinal)
                .Replace($"/dir/{service}", "/data", StringComparison.Ordinal))
            .ToArray();

        // A container has an address, ports and a folder of its own.
        string[] own = service.StartsWith("silo", StringComparison.Ordinal) ? [] : ["--bind", "127.0.0.1", "--port", plain[4], "--dir", "/data"];
        int program = service.StartsWith("silo", StringComparison.Ordinal) ? 2 : 0;
        IEnumerable<string> expected = [.. plain.Take(own.Length == 0 ? 0 : 1), .. plain.Skip(own.Length == 0 ? program : 1 + own.Length)];
        if (own.Length > 0) Assert.Equal(own, plain.Skip(1).Take(own.Length));
        Assert.Equal(expected, _compose.List("services", service, "command"));
    }

    [Fact]
    public void EveryArgumentAndVariableOfAServerIsASettingThatItTakes()
    {
        foreach (string silo in Silos)
        {
            SiloOptions options = OptionsOf(silo);
            Assert.Equal((silo, "/data", StoreKind.Redis, "blocks:6379", "records:6379"), (options.Name, options.Data, options.Store, options.Redis, StoreSettings.AddressOf(options)));
            Assert.Equal(["http://0.0.0.0:5080"], options.Urls);
            Assert.Equal("records:6379", options.Orleans.Cluster);
            Assert.Equal("auto", _compose.Text("services", silo, "environment", "KVTIERS__ORLEANS__ADDRESS"));
            ApiKeys keys = ApiKeys.Load(options.ApiKeyFile!);
            Assert.Equal((KvTiers.Client.KvTiersClientOptions.DefaultTenant, true), (keys.TenantOf(Key), keys.IsAdministrator("fedcba9876543210")));

            // The server's own margin after the grace of its turns is 10 s.
            TimeSpan grace = TimeSpan.FromSeconds(int.Parse(_compose.Text("services", silo, "stop_grace_period")!.TrimEnd('s')));
            Assert.True(grace >= options.StopGrace + TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    public void PortsAreLoopbackOnesOnTheServersPort()
    {
        for (int i = 0; i < Silos.Length; i++)
            Assert.Equal([$"127.0.0.1:{5081 + i}:5080"], _compose.List("services", Silos[i], "ports"));
        Assert.All(_compose.Services.Except(Silos), service => Assert.Empty(_compose.List("services", service, "ports")));
        Assert.Contains("/dev/tcp/127.0.0.1/5080", _compose.List("services", "silo-1", "healthcheck", "test")[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheHealthCheckTellsAReadyServerFromNone()
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "bash is not installed");
        await using SiloServer silo = await SiloServer.StartAsync();
        string check = _compose.List("services", "silo-1", "healthcheck", "test")[^1].Replace("$$", "$", StringComparison.Ordinal);
        Assert.Equal(0, await BashAsync(check.Replace("5080", $"{silo.Url.Port}", StringComparison.Ordinal)));
        await silo.StopAsync();
        Assert.NotEqual(0, await BashAsync(check.Replace("5080", $"{silo.Url.Port}", StringComparison.Ordinal)));
    }

    [Fact]
    public void TheLoadIsACommandThatTheClientTakes()
    {
        IReadOnlyList<string> command = _compose.List("services", "load", "command");
        Assert.Equal("load", command[0]);
        Assert.Empty(LoadCommand.Create(CliContext.OfProcess()).Parse([.. command.Skip(1)]).Errors);
        Assert.Equal(Silos.Select(silo => $"http://{silo}:5080"), command.Where(argument => argument.StartsWith("http", StringComparison.Ordinal)));
        Assert.Equal([ApiKeyOption.Variable], _compose.Keys("services", "load", "environment"));
    }

    [Fact]
    public void ImagesAreBuiltFromWhatIsThereAndRunAsNobodySpecial()
    {
        string[] lines = File.ReadAllLines(Repository.PathOf("Dockerfile"));
        string[] targets = [.. lines.Where(line => line.StartsWith("FROM ", StringComparison.Ordinal)).Select(line => line.Split(' ')[^1])];
        string[] arguments = [.. lines.Where(line => line.StartsWith("ARG ", StringComparison.Ordinal)).Select(line => line[4..].Split('=')[0])];
        foreach (string service in Silos.Append("load"))
        {
            string target = _compose.Text("services", service, "build", "target")!;
            Assert.Contains(target, targets);
            Assert.Empty(_compose.Keys("services", service, "build", "args").Except(arguments));
            Assert.Contains("USER $APP_UID", lines.SkipWhile(line => !line.EndsWith($"AS {target}", StringComparison.Ordinal)).TakeWhile(line => line.Length > 0));
        }

        foreach (string line in lines.Where(line => line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal)))
            Assert.All(line.Split(' ')[1..^1], path => Assert.True(Path.Exists(Repository.PathOf(path)), path));
        Assert.Contains("ENTRYPOINT [\"/app/kvtiers-silo\"]", lines);
        Assert.Contains("ENTRYPOINT [\"dotnet\", \"/app/kvtiers-cli.dll\"]", lines);
        Assert.True(File.Exists(Path.Combine(AppContext.BaseDirectory, "kvtiers-silo.dll")) && File.Exists(Path.Combine(AppContext.BaseDirectory, "kvtiers-cli.dll")));
        Assert.All(_compose.Services.Except(Silos).Except(["load"]), redis => Assert.Equal("redis", _compose.Text("services", redis, "user")));
    }

    // What the server reads: its variables the way the environment gives them, its arguments on top.
    private SiloOptions OptionsOf(string silo)
    {
        var settings = new Dictionary<string, string?> { ["KvTiers:Model"] = TestModels.Tiny };
        foreach ((object name, object value) in _compose.Map("services", silo, "environment")!) settings[((string)name).Replace("__", ":", StringComparison.Ordinal)] = (string)value;
        Assert.Equal("/run/api-keys", settings["KVTIERS:APIKEYFILE"]);
        settings["KVTIERS:APIKEYFILE"] = _folder.Path("api-keys");
        File.WriteAllText(_folder.Path("api-keys"), _compose.Text("configs", "api-keys", "content"));
        return SiloOptionsReader.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(settings)
            .AddInMemoryCollection(Silo.Configuration.CommandLine.Parse(_compose.List("services", silo, "command")).Settings)
            .Build());
    }

    private static async Task<int> BashAsync(string command)
    {
        var start = new System.Diagnostics.ProcessStartInfo("/bin/bash", ["-c", command]) { RedirectStandardError = true };
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(start)!;
        await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
