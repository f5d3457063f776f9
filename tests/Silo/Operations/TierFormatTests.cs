using System.Text.Json.Nodes;
using KvTiers.Blocks;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Models;
using KvTiers.Tests.Support;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>Tiers that lose bits: opt-in, and never mixed with those that do not.</summary>
public sealed class TierFormatTests
{
    private const string Prompt = "The lighthouse keeper writes down every ship that passes, with its flag and the hour.";

    private static readonly string[] LossyRam = ["--ram", "16MiB", "--ram-format", "int8"];

    [Fact]
    public async Task ServersShareARedisOnlyWithThoseThatLoseTheSame()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        using var server = new RedisServer();
        string[] redis = ["--redis", server.Configuration, "--KvTiers:Promotion=always", "--KvTiers:RedisDeadline=60s", "--KvTiers:TenantSecret=" + Convert.ToHexStringLower(TenantSalts.NewSecret())];
        await using SiloServer lossy = await SiloServer.StartAsync([.. redis, .. LossyRam]);
        await using SiloServer lossless = await SiloServer.StartAsync(redis);
        Assert.Equal(0, (await AskAsync(lossy)).Redis);
        (string text, int fromRedis, _) = await AskAsync(lossless);
        Assert.Equal(0, fromRedis);

        await using SiloServer otherLossless = await SiloServer.StartAsync([.. redis, "--ram", "16MiB"]);
        await using SiloServer otherLossy = await SiloServer.StartAsync([.. redis, .. LossyRam]);
        await using SiloServer otherFormat = await SiloServer.StartAsync([.. redis, "--ram", "16MiB", "--ram-format", "bf16"]);
        (string shared, int sharedTokens, _) = await AskAsync(otherLossless);
        Assert.True(sharedTokens >= 16);
        Assert.Equal(text, shared);
        Assert.True((await AskAsync(otherLossy)).Redis >= 16);
        Assert.Equal(0, (await AskAsync(otherFormat)).Redis);
    }

    /// <summary>What a lossy RAM tier hands on lies on the disk in the hot format, and only its name tells.</summary>
    [Fact]
    public async Task AFolderThatALossyServerLeftAnswersNoLosslessOne()
    {
        using var data = new TemporaryFolder();
        string[] disk = ["--data", data.FullName, "--disk", "64MiB", "--KvTiers:Promotion=always"];
        await using (SiloServer lossy = await SiloServer.StartAsync([.. disk, .. LossyRam])) await AskAsync(lossy);
        string expected;
        await using (SiloServer alone = await SiloServer.StartAsync()) expected = (await AskAsync(alone)).Text;

        await using (SiloServer lossless = await SiloServer.StartAsync([.. disk, "--ram", "16MiB"]))
        {
            Assert.True(lossless.Model.Engine.Tiers!.Usage[1].Blocks > 0);
            (string text, _, int fromDisk) = await AskAsync(lossless);
            Assert.Equal((expected, 0), (text, fromDisk));
        }

        await using (SiloServer lossyAgain = await SiloServer.StartAsync([.. disk, .. LossyRam])) Assert.True((await AskAsync(lossyAgain)).Disk >= 16);
        await using SiloServer losslessAgain = await SiloServer.StartAsync([.. disk, "--ram", "16MiB"]);
        (string again, _, int known) = await AskAsync(losslessAgain);
        Assert.Equal(expected, again);
        Assert.True(known >= 16);
    }

    [Theory]
    [InlineData("RamFormat", BlockEncoding.Int8)]
    [InlineData("DiskFormat", BlockEncoding.Float8E4M3)]
    [InlineData("RedisFormat", BlockEncoding.Int4)]
    public async Task AFormatThatTheModelsBlocksCannotHaveStopsTheStart(string setting, BlockEncoding format)
    {
        using var data = new TemporaryFolder();
        var options = new SiloOptions { Data = data.FullName };
        options = setting switch
        {
            "RamFormat" => options with { RamBytes = 1 << 20, RamFormat = format },
            "DiskFormat" => options with { DiskBytes = 1 << 20, DiskFormat = format },
            _ => options with { Redis = "127.0.0.1:1", RedisFormat = format },
        };
        var layout = new BlockLayout(Layers: 1, KvHeads: 1, HeadDim: 8);
        StartException e = await Assert.ThrowsAsync<StartException>(() => TierComposition.OpenAsync(options, new KvCacheOptions { HotBlocks = 1 }, layout, TimeProvider.System));
        Assert.Contains("KvTiers:" + setting, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheFormatsAreTheTiers()
    {
        using var data = new TemporaryFolder();
        var layout = new BlockLayout(Layers: 2, KvHeads: 2, HeadDim: 32);
        var options = new SiloOptions { Data = data.FullName, RamBytes = 1 << 20, RamFormat = BlockEncoding.Int4, DiskBytes = 1 << 20, DiskFormat = BlockEncoding.BFloat16 };
        await using TieredCache stack = (await TierComposition.OpenAsync(options, new KvCacheOptions { HotBlocks = 1 }, layout, TimeProvider.System))!;
        Assert.Equal([1, 4 + (256 * 4)], stack.Losses.ToArray());
        long[] bytes = [.. stack.Usage.Select(usage => usage.BytesPerBlock)];
        Assert.True(bytes[0] < layout.BytesPerBlock / 4 && bytes[1] < layout.BytesPerBlock, string.Join(", ", bytes));
    }

    private static async Task<(string Text, int Redis, int Disk)> AskAsync(SiloServer silo)
    {
        var body = new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = Prompt }),
            ["max_tokens"] = 8,
            ["temperature"] = 0,
        };
        JsonObject answer = await silo.Http.PostAsync("/v1/chat/completions", body.ToJsonString());
        if (silo.Model.Engine.Tiers is { } tiers) await tiers.DrainAsync(CancellationToken.None);
        JsonNode cached = answer["kvtiers"]!["cached"]!;
        return ((string)answer["choices"]![0]!["message"]!["content"]!, (int)cached["redis"]!, (int)cached["disk"]!);
    }
}
