using System.Net;
using System.Net.Sockets;

namespace KvTiers.Silo.Tests.Processes;

public sealed class StartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task APortInUseIsOneClearLine()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

        string error = await FailAsync("--model", TestModels.Tiny, "--urls", url);

        Assert.StartsWith($"kvtiers-silo: KvTiers:Urls = '{url}': the address is in use by another process.", error);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task WrongSettingsAreListed()
    {
        string error = await FailAsync("--model", TestModels.Tiny, "--hot", "lots", "--kv=f8", "--KvTiers:Thread=3");

        string[] lines = error.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("kvtiers-silo: KvTiers:Hot = 'lots': must be a size such as 512MiB", lines[0]);
        Assert.StartsWith("kvtiers-silo: KvTiers:Kv = 'f8': must be f32 or bf16.", lines[1]);
        Assert.StartsWith("kvtiers-silo: KvTiers:Thread = '3': must be removed: there is no such setting.", lines[2]);
    }

    [Fact]
    public async Task AnEnvironmentVariableIsASettingToo()
    {
        await using var silo = SiloProcess.Start(_folder.FullName, new Dictionary<string, string> { ["KVTIERS__HOT"] = "none" }, "--model", TestModels.Tiny);

        Assert.Equal(1, await silo.WaitForExitAsync());
        Assert.StartsWith("kvtiers-silo: KvTiers:Hot = 'none': must be", silo.Errors);
    }

    [Fact]
    public async Task SettingsComeFromAFileInTheWorkingDirectory()
    {
        await File.WriteAllTextAsync(_folder.Path("appsettings.json"), """{"KvTiers":{"Kv":"f64"}}""");

        Assert.StartsWith("kvtiers-silo: KvTiers:Kv = 'f64': must be", await FailAsync("--model", TestModels.Tiny));
    }

    [Fact]
    public async Task AMissingModelIsNamed() =>
        Assert.StartsWith("kvtiers-silo: KvTiers:Model = 'no/such/model': must be a folder with config.json", await FailAsync("--model", "no/such/model"));

    [Fact]
    public async Task ADamagedModelIsNamed()
    {
        string model = _folder.Path("damaged");
        Directory.CreateDirectory(model);
        foreach (string file in Directory.EnumerateFiles(TestModels.Tiny)) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        await File.WriteAllTextAsync(Path.Combine(model, "tokenizer.json"), "{");

        string error = await FailAsync("--model", model, "--urls", "http://127.0.0.1:0", "--hot", "1MiB");

        Assert.StartsWith($"kvtiers-silo: The model in '{model}' cannot be used: ", error);
        Assert.Contains("tokenizer.json", error);
    }

    [Fact]
    public async Task AHotTierSmallerThanABlockIsRefused()
    {
        string model = Path.Combine(_folder.FullName, "wide");
        MakeModel.RandomModel.Write(MakeModel.ModelShape.Find("tiny") with { Layers = 4, KvHeads = 32, Heads = 32, HeadDim = 128 }, model);

        Assert.StartsWith("kvtiers-silo: KvTiers:Hot = '1 MiB': must be at least one block of this model, 2 MiB.", await FailAsync("--model", model, "--urls", "http://127.0.0.1:0", "--hot", "1MiB"));
    }

    [Fact]
    public async Task ADataFolderThatCannotBeWrittenIsNamed()
    {
        string file = _folder.Path("file");
        await File.WriteAllTextAsync(file, "");

        Assert.StartsWith($"kvtiers-silo: KvTiers:Data = '{file}': must be a folder that can be written", await FailAsync("--model", TestModels.Tiny, "--data", file));
    }

    [Fact]
    public async Task HelpIsNoError()
    {
        await using var silo = SiloProcess.Start(_folder.FullName, "--help");

        Assert.Equal(0, await silo.WaitForExitAsync());
        Assert.Contains("--api-key-file", silo.Output);
        Assert.Empty(silo.Errors);
    }

    private async Task<string> FailAsync(params IEnumerable<string> arguments)
    {
        await using var silo = SiloProcess.Start(_folder.FullName, arguments);
        Assert.Equal(1, await silo.WaitForExitAsync());
        Assert.DoesNotContain("   at ", silo.Errors);
        Assert.DoesNotContain("   at ", silo.Output);
        Assert.DoesNotContain("fail:", silo.Output);
        Assert.DoesNotContain("crit:", silo.Output);
        return silo.Errors;
    }
}
