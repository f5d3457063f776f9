using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;
using KvTiers.Tests.Shared;

namespace KvTiers.Clients.Tests.Npm;

/// <summary>The scripts of <c>tests/Clients/scripts</c>, run by Node.js over the packages that its lock file names.</summary>
internal static class NpmScript
{
    private const int LeastNode = 18;
    private const string HowToInstall = "apt-get install nodejs npm";

    private static readonly Lazy<Task<string>> Packages = new(InstallAsync);
    private static readonly ConcurrentDictionary<string, Task<IReadOnlyDictionary<string, string?>>> Runs = new();

    /// <summary>What each call of a script ended with: null, or its error. Each script is run once.</summary>
    public static Task<IReadOnlyDictionary<string, string?>> CallsAsync(string script, ClientsServer server) =>
        Runs.GetOrAdd(script, async _ =>
        {
            string output = await RunAsync(script, server, "");
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)
                .ToDictionary(call => (string)call["call"]!, call => (string?)call["error"]);
        });

    /// <summary>Runs a script with its arguments, and gives what it wrote.</summary>
    public static async Task<string> RunAsync(string script, ClientsServer server, string input)
    {
        string folder = await Packages.Value;
        var variables = new Dictionary<string, string>
        {
            ["OPENAI_BASE_URL"] = server.OpenAiUrl.AbsoluteUri,
            ["OPENAI_API_KEY"] = ClientsServer.Key,
            ["ANTHROPIC_BASE_URL"] = server.Url.AbsoluteUri.TrimEnd('/'),
            ["ANTHROPIC_API_KEY"] = ClientsServer.Key,
            // Without it, this client tells its vendor of every run.
            ["LANGCHAIN_TRACING_V2"] = "false",
        };
        return await ExecuteAsync("node", folder, script.Split(' '), variables, input);
    }

    // In a folder of its own, so that node_modules is in nobody's way; again only when the lock file has changed.
    private static async Task<string> InstallAsync()
    {
        string source = Path.Combine(Repository.Root, "tests", "Clients", "scripts");
        string folder = Path.Combine(Repository.Root, "artifacts", "npm-clients");
        Directory.CreateDirectory(folder);
        // Processes that test at once install once.
        await using FileStream turn = await TakeTurnAsync(Path.Combine(folder, ".lock"));
        await SkipWithoutNodeAsync(folder);
        string installed = Path.Combine(folder, ".installed");
        string wanted = await File.ReadAllTextAsync(Path.Combine(source, "package-lock.json"));
        foreach (string file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        if (!File.Exists(installed) || await File.ReadAllTextAsync(installed) != wanted)
        {
            try
            {
                await ExecuteAsync("npm", folder, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
            }
            catch (InvalidOperationException offline) when (offline.Message.Contains("network", StringComparison.OrdinalIgnoreCase))
            {
                Assert.Skip("The npm packages cannot be fetched here; `npm ci` in tests/Clients/scripts says why.");
            }

            await File.WriteAllTextAsync(installed, wanted);
        }

        return folder;
    }

    private static async Task SkipWithoutNodeAsync(string folder)
    {
        string version = "";
        try
        {
            version = (await ExecuteAsync("node", folder, ["--version"])).Trim();
            await ExecuteAsync("npm", folder, ["--version"]);
        }
        catch (Win32Exception)
        {
            Assert.Skip($"There is no Node.js here, or no npm; `{HowToInstall}` installs both.");
        }

        Assert.SkipUnless(int.Parse(version[1..version.IndexOf('.')]) >= LeastNode, $"Node.js is {version} here; the packages want {LeastNode} or newer.");
    }

    private static async Task<FileStream> TakeTurnAsync(string path)
    {
        using var limit = new CancellationTokenSource(HangLimit.Time);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(100, limit.Token);
            }
        }
    }

    private static async Task<string> ExecuteAsync(
        string program, string folder, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? variables = null, string input = "")
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in variables ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync().WaitAsync(HangLimit.Time);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)} did not end: {await output}{await error}");
        }

        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{program} {string.Join(' ', start.ArgumentList)} ended with {process.ExitCode}: {await error}");
    }
}
