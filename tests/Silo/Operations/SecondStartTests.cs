namespace KvTiers.Silo.Tests.Operations;

public sealed class SecondStartTests
{
    [Fact]
    public async Task WeightsMappedFromTheCacheMoveToMemoryOnceTheServerIsReady()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Files are mapped on Linux only.");
        using TemporaryFolder data = new();
        string folder = Path.Combine(data.FullName, "weights");
        string first = await AnswerAsync(data);
        string file = Assert.Single(Directory.GetFiles(folder, "*.weights"));
        DateTime writtenAt = File.GetLastWriteTimeUtc(file);

        string second = await AnswerAsync(data, () => !File.ReadLines("/proc/self/maps").Any(line => line.Contains(folder, StringComparison.Ordinal)));

        Assert.Equal(first, second);
        Assert.Equal(writtenAt, File.GetLastWriteTimeUtc(file));
    }

    private static async Task<string> AnswerAsync(TemporaryFolder data, Func<bool>? until = null)
    {
        await using SiloServer silo = await SiloServer.StartAsync("--data", data.FullName);
        if (until is not null) await Eventually.TrueAsync(until);
        return (await silo.Http.PostAsync("/v1/completions", """{"prompt":"The tide is","max_tokens":8,"temperature":0}"""))["choices"]![0]!["text"]!.GetValue<string>();
    }
}
