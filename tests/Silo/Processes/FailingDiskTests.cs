using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Processes;

/// <summary>
/// Files that may not grow for a while (a limit of the process, which takes no rights): a turn that cannot be stored is refused with the cause, none that was
/// acknowledged is lost, and the server is whole again by itself.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class FailingDiskTests : IDisposable
{
    private const string Begin = """{"conversation":"a","messages":[{"role":"user","content":"Hello"}],"max_tokens":2}""";
    private const string Turns = "/v1/conversations/a/turns";
    private const string Turn = """{"messages":[{"role":"user","content":"Hello again"}],"options":{"max_tokens":2}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AStoreThatTakesNothingIsSaidUntilItDoes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && await LimitAsync(Environment.ProcessId, "unlimited"), "prlimit is not installed");
        await using SiloProcess silo = await SiloProcess.StartReadyWithFileLimitsAsync(TestModels.Tiny, _folder.FullName);
        await silo.Http.PostAsync("/v1/chat/completions", Begin);
        int before = await MessagesAsync(silo);

        Assert.True(await LimitAsync(silo.ProcessId, "64"));
        for (int i = 0; i < 3; i++)
        {
            JsonNode error = (await silo.Http.PostAsync(Turns, Turn, HttpStatusCode.ServiceUnavailable))["error"]!;
            Assert.Equal("store_unavailable", (string)error["code"]!);
            Assert.Contains("cannot be written: a file may not become so large", (string)error["message"]!);
        }

        JsonNode health = await silo.Http.GetJsonAsync("/readyz");
        Assert.Equal("degraded", (string)health["status"]!);
        Assert.Contains("a file may not become so large", (string)health["reasons"]![0]!);
        Assert.Equal(before, await MessagesAsync(silo));

        // What needs no store is answered.
        await silo.Http.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1}""");

        Assert.True(await LimitAsync(silo.ProcessId, "unlimited"));
        await Eventually.TrueAsync(async () => (string)(await silo.Http.GetJsonAsync("/readyz"))["status"]! == "ready");
        await silo.Http.PostAsync(Turns, Turn);
        Assert.Equal(before + 2, await MessagesAsync(silo));
        Assert.Equal(1, silo.Output.Split("Degraded: The conversation store cannot be written").Length - 1);
    }

    private static async Task<int> MessagesAsync(SiloProcess silo) => (await silo.Http.GetJsonAsync("/v1/conversations/a"))["messages"]!.AsArray().Count;

    private static async Task<bool> LimitAsync(int process, string bytes)
    {
        try
        {
            using Process? limit = Process.Start(new ProcessStartInfo("prlimit", ["--pid", $"{process}", $"--fsize={bytes}:unlimited"]) { RedirectStandardError = true });
            await limit!.WaitForExitAsync();
            return limit.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
