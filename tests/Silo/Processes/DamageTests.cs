using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Silo.Tests.Talks;
using KvTiers.Tiers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KvTiers.Silo.Tests.Processes;

/// <summary>
/// A data folder that was damaged, that fills up (a small file system of its own is filled), that may not be written for a while (files are made
/// immutable, which binds root too): right answers, and nothing acknowledged is lost.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class DamageTests : IDisposable
{
    private static readonly string[] Settings = ["--hot", "1MiB", "--kv", "f32", "--disk", "16MiB", "--KvTiers:Promotion=always"];

    private readonly TemporaryFolder _folder = new();

    private string Blocks => Path.Combine(_folder.FullName, "blocks");

    private string Segment => Directory.EnumerateFiles(Blocks, "segment-*.kvb").Order().First();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("flipped bits", "corrupt")]
    [InlineData("torn records", "corrupt")]
    [InlineData("truncated segment", "")]
    [InlineData("index of another version", "used")]
    [InlineData("garbled index", "used")]
    [InlineData("no index", "used")]
    public async Task AfterDamageEveryAnswerIsRight(string damage, string effect)
    {
        await using SiloServer reference = await SiloServer.StartAsync("--kv", "f32");
        var talks = new TalkGroup("damaged", 16);
        await using (SiloServer first = await StartAsync())
            await talks.SayAsync(first.Http, turns: 3);

        Damage(damage);
        await using SiloServer second = await StartAsync();
        await talks.CheckStoredAsync(second.Http);
        Dictionary<string, int> cached = await talks.SayAsync(second.Http, turns: 2);
        await talks.CheckAgainstAsync(reference.Http);
        IReadOnlyDictionary<string, double> metrics = await TalkGroup.MetricsAsync(second.Http);
        double corrupt = TalkGroup.Misses(metrics, "disk", "corrupt") + TalkGroup.Misses(metrics, "disk", "unauthentic");
        Assert.Equal(effect == "corrupt", corrupt > 0);
        if (effect == "used") Assert.True(cached["disk"] > 500, $"only {cached["disk"]} tokens came from the disk");
    }

    [Fact]
    public async Task AFullFileSystemRefusesTurnsLosesNoneAndTakesThemWhenThereIsRoomAgain()
    {
        using var disk = SmallDisk.TryMount(_folder.FullName, 40 << 20);
        Assert.SkipWhen(disk is null, "a file system cannot be mounted here");
        var logs = new LogList();
        await using SiloServer reference = await SiloServer.StartAsync("--kv", "f32");
        await using SiloServer silo = await SiloServer.StartAsync(services => services.AddSingleton<ILoggerProvider>(logs), ["--data", _folder.FullName, .. Settings]);
        var talks = new TalkGroup("full", 16);
        await talks.SayAsync(silo.Http, turns: 4);
        string ballast = _folder.Path("ballast");
        disk!.Fill(ballast);
        var late = new TalkGroup("late", 4);
        await Assert.ThrowsAnyAsync<Exception>(() => late.SayAsync(silo.Http, turns: 1));
        await AssertRefusedAsync(silo, "it is full");
        await talks.CheckStoredAsync(silo.Http);

        File.Delete(ballast);
        await AssertReadyAsync(silo);
        Assert.Single(logs.At(LogLevel.Warning), line => line.Contains("cannot be written: it is full", StringComparison.Ordinal));
        Assert.DoesNotContain(logs.At(LogLevel.Error), _ => true);
        foreach (TalkGroup group in (TalkGroup[])[talks, late])
        {
            await group.SayAsync(silo.Http, turns: 2);
            await group.CheckStoredAsync(silo.Http);
            await group.CheckAgainstAsync(reference.Http);
        }
    }

    [Fact]
    public async Task FilesThatAreImmutableForAWhileLoseNothing()
    {
        Assert.SkipUnless(Immutable(true), "files cannot be made immutable here");
        Immutable(false);
        await using SiloServer reference = await SiloServer.StartAsync("--kv", "f32");
        await using SiloServer silo = await StartAsync();
        var talks = new TalkGroup("read-only", 16);
        await talks.SayAsync(silo.Http, turns: 4);
        Assert.True(Immutable(true));
        try
        {
            await Assert.ThrowsAnyAsync<Exception>(() => talks.SayAsync(silo.Http, turns: 1));
            await AssertRefusedAsync(silo, "it may not be written");
            await talks.CheckStoredAsync(silo.Http);

            // What needs no store is answered, and what the disk tier cannot take is a counted fault.
            for (int i = 0; i < 16; i++)
                await silo.Http.PostAsync("/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"{{i}} Tell me of {{string.Join(' ', Enumerable.Range(0, 60))}}"}],"max_tokens":4}""");
            await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
            Assert.True(TalkGroup.Misses(await TalkGroup.MetricsAsync(silo.Http), "disk", "write_error") > 0);
            Assert.Contains("the disk tier: it cannot be written: it may not be written", await silo.Http.GetStringAsync("/readyz"));
        }
        finally
        {
            Immutable(false);
        }

        await talks.SayAsync(silo.Http, turns: 3);
        await talks.CheckStoredAsync(silo.Http);
        await talks.CheckAgainstAsync(reference.Http);
    }

    /// <summary>The tier was given more than there is.</summary>
    [Fact]
    public async Task ADiskTierUsesWhatTheFileSystemHasAndLeavesRoomForConversations()
    {
        using var disk = SmallDisk.TryMount(_folder.FullName, 40 << 20);
        Assert.SkipWhen(disk is null, "a file system cannot be mounted here");
        var logs = new LogList();
        await using SiloServer silo = await SiloServer.StartAsync(
            services => services.AddSingleton<ILoggerProvider>(logs), "--data", _folder.FullName, "--hot", "1MiB", "--kv", "f32", "--disk", "10GiB", "--KvTiers:DiskWrite=on-seal");
        const string Shortage = "its file system has less room than the tier was given";
        Assert.Contains(Shortage, await silo.Http.GetStringAsync("/readyz"));
        JsonNode tier = (await silo.Http.GetJsonAsync("/admin/tiers"))["colder"]![0]!;
        Assert.Equal($"the disk tier: {Shortage}", (string)tier["trouble"]!);
        Assert.InRange((long)tier["capacity_bytes"]!, 30 << 20, 38 << 20);

        for (int i = 0; i < 200 && silo.Model.Engine.Tiers!.Usage[0].EvictedBlocks == 0; i++)
        {
            await silo.Http.PostAsync("/v1/completions", $$"""{"prompt":"{{i}} {{string.Concat(Enumerable.Range(0, 1500).Select(j => (char)('a' + ((i + (j * j)) % 26))))}}","max_tokens":1}""");
            await silo.Model.Engine.Tiers!.DrainAsync(CancellationToken.None);
        }

        TierUsage usage = silo.Model.Engine.Tiers!.Usage[0];
        Assert.Equal(0, usage.Refusals);
        Assert.InRange(usage.UsedBytes, 24 << 20, usage.CapacityBytes);
        Assert.True(usage.EvictedBlocks > 0);
        Assert.InRange(new DriveInfo(_folder.FullName).AvailableFreeSpace, 1 << 20, 8 << 20);

        await silo.Http.PostAsync("/v1/chat/completions", """{"conversation":"small","messages":[{"role":"user","content":"Hello"}],"max_tokens":2}""");
        await Eventually.TrueAsync(() => Task.FromResult(logs.At(LogLevel.Warning).Count(line => line.Contains(Shortage, StringComparison.Ordinal)) == 1));
    }

    private static async Task AssertRefusedAsync(SiloServer silo, string cause)
    {
        JsonNode error = (await silo.Http.PostAsync("/v1/chat/completions", """{"conversation":"refused","messages":[{"role":"user","content":"Hello"}],"max_tokens":2}""", HttpStatusCode.ServiceUnavailable))["error"]!;
        Assert.Equal("store_unavailable", (string)error["code"]!);
        Assert.Contains($"cannot be written: {cause}", (string)error["message"]!);
        JsonNode health = await silo.Http.GetJsonAsync("/readyz");
        Assert.Equal("degraded", (string)health["status"]!);
        Assert.Contains(health["reasons"]!.AsArray(), reason => ((string)reason!).Contains($"conversation store cannot be written: {cause}", StringComparison.Ordinal));
    }

    // By itself: nobody writes.
    private static Task AssertReadyAsync(SiloServer silo) =>
        Eventually.TrueAsync(async () => (string)(await silo.Http.GetJsonAsync("/readyz"))["status"]! == "ready");

    private Task<SiloServer> StartAsync() => SiloServer.StartAsync(["--data", _folder.FullName, .. Settings]);

    private void Damage(string kind)
    {
        string index = Path.Combine(Blocks, "index");
        Assert.True(File.Exists(index));
        byte[] bytes = File.ReadAllBytes(kind.EndsWith("index", StringComparison.Ordinal) || kind.StartsWith("index", StringComparison.Ordinal) ? index : Segment);
        const int Record = 12 * 1024 + 512;
        switch (kind)
        {
            case "flipped bits":
                for (int at = 700; at < bytes.Length; at += 2 * Record) bytes[at] ^= 4;
                File.WriteAllBytes(Segment, bytes);
                break;
            case "torn records":
                for (int at = 0; at + Record <= bytes.Length; at += 2 * Record) bytes.AsSpan(at + (Record / 2), Record / 2).Clear();
                File.WriteAllBytes(Segment, bytes);
                break;
            case "truncated segment":
                File.WriteAllBytes(Segment, bytes[..(bytes.Length / 3)]);
                break;
            case "index of another version":
                bytes[1]++; // the number after the array's head
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(^4..), Crc32C.Compute(bytes.AsSpan(..^4)));
                File.WriteAllBytes(index, bytes);
                break;
            case "garbled index":
                bytes[bytes.Length / 2] ^= 1;
                File.WriteAllBytes(index, bytes);
                break;
            default:
                File.Delete(index);
                break;
        }
    }

    /// <summary>Bars everything in the folder from being changed, also for root and through files that are open.</summary>
    private bool Immutable(bool on)
    {
        using Process? process = Start("chattr", "-R", on ? "+i" : "-i", _folder.FullName);
        process?.WaitForExit();
        return process?.ExitCode == 0;
    }

    private static Process? Start(string program, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>A file system of a few megabytes.</summary>
    private sealed class SmallDisk(string folder) : IDisposable
    {
        public static SmallDisk? TryMount(string folder, long bytes)
        {
            using Process? process = Start("mount", "-t", "tmpfs", "-o", $"size={bytes}", "tmpfs", folder);
            process?.WaitForExit();
            return process?.ExitCode == 0 ? new SmallDisk(folder) : null;
        }

        /// <summary>Leaves no room.</summary>
        public void Fill(string path)
        {
            using FileStream file = File.Create(path, bufferSize: 1);
            byte[] piece = new byte[4096];
            try
            {
                while (true) file.Write(piece);
            }
            catch (IOException)
            {
                // Full.
            }
        }

        public void Dispose()
        {
            using Process? process = Start("umount", "-l", folder);
            process?.WaitForExit();
        }
    }
}
