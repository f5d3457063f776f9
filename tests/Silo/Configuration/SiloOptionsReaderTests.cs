using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Silo.Configuration;
using KvTiers.Tiers;
using Microsoft.Extensions.Configuration;

namespace KvTiers.Silo.Tests.Configuration;

public sealed class SiloOptionsReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _model;

    public SiloOptionsReaderTests()
    {
        _model = _folder.Path("model");
        Directory.CreateDirectory(_model);
        foreach (string file in (string[])["config.json", "tokenizer.json", "model.safetensors"]) File.WriteAllText(Path.Combine(_model, file), "");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void DefaultsServeLoopbackWithoutKeys()
    {
        SiloOptions options = Read();

        Assert.Equal(["http://127.0.0.1:5080"], options.Urls);
        Assert.Equal(_model, options.Model);
        Assert.Equal(512L << 20, options.HotBytes);
        Assert.Equal(KvFormat.F32, options.Kv);
        Assert.Equal(WeightFormat.AsStored, options.Weights);
        Assert.Null(options.ApiKeyFile);
    }

    [Theory]
    [InlineData("Hot", "1023KiB")]
    [InlineData("Hot", "8EiB")]
    [InlineData("Hot", "7999TiB")]
    [InlineData("Promotion", "sometimes")]
    [InlineData("Watermarks", "0.1,0.05")]
    [InlineData("Watermarks", "0,0.5")]
    [InlineData("Watermarks", "0.5,1.01")]
    [InlineData("Watermarks", "0.5")]
    [InlineData("DiskWrite", "at-once")]
    [InlineData("RedisWrite", "never")]
    [InlineData("Ram", "1023KiB")]
    [InlineData("Ram", "-1")]
    [InlineData("Ram", "7999TiB")]
    [InlineData("Disk", "1023KiB")]
    [InlineData("Disk", "1025TiB")]
    [InlineData("RedisBytes", "0")]
    [InlineData("WarmAhead", "601s")]
    [InlineData("WarmAhead", "-1s")]
    [InlineData("WarmAhead", "often")]
    [InlineData("SystemPrompts:0", " ")]
    [InlineData("SystemPrompts", "Be kind.")]
    [InlineData("TenantBytes", "1023KiB")]
    [InlineData("TenantBytes", "1025TiB")]
    [InlineData("RamFormat", "f16")]
    [InlineData("DiskFormat", "int2")]
    [InlineData("RedisFormat", "zip")]
    [InlineData("Redis", "redis://127.0.0.1")]
    [InlineData("Store", "sql")]
    [InlineData("Store", "redis")]
    [InlineData("StoreRedis", "redis://127.0.0.1")]
    [InlineData("StoreRedis", "127.0.0.1:6379")]
    [InlineData("StoreTtl", "59s")]
    [InlineData("StoreTtl", "3651d")]
    [InlineData("StoreTtl", "often")]
    [InlineData("StoreDeadline", "9ms")]
    [InlineData("RedisDeadline", "9ms")]
    [InlineData("RedisDeadline", "61s")]
    [InlineData("RedisReadAtOnce", "63KiB")]
    [InlineData("RedisReadAtOnce", "1025MiB")]
    [InlineData("StoreDeadline", "61s")]
    [InlineData("Kv", "f16")]
    [InlineData("Weights", "int3")]
    [InlineData("WeightCache", "yes")]
    [InlineData("Engine", "onnx")]
    [InlineData("Threads", "0")]
    [InlineData("Threads", "65")]
    [InlineData("Threads", "two")]
    [InlineData("AnswerTokens", "0")]
    [InlineData("ContextPolicy", "drop_oldest")]
    [InlineData("ContextKeep", "0.09")]
    [InlineData("ContextKeep", "0.91")]
    [InlineData("ContextKeep", "NaN")]
    [InlineData("SummaryTokens", "15")]
    [InlineData("SummaryTokens", "4097")]
    [InlineData("BreakpointShare", "1.01")]
    [InlineData("BreakpointShare", "-0.1")]
    [InlineData("AnswerTokens", "1000001")]
    [InlineData("MaxTurns", "0")]
    [InlineData("MaxTurns", "100001")]
    [InlineData("DiskKeepFree", "-1")]
    [InlineData("DiskKeepFree", "1023KiB")]
    [InlineData("DiskKeepFree", "1025TiB")]
    [InlineData("TemplateSteps", "999")]
    [InlineData("TemplateSteps", "1000000001")]
    [InlineData("TemplateBytes", "65535B")]
    [InlineData("TemplateBytes", "16385MiB")]
    [InlineData("MaxBody", "1023B")]
    [InlineData("MaxBody", "1025MiB")]
    [InlineData("StopGrace", "601s")]
    [InlineData("StopGrace", "00:10:01")]
    [InlineData("StopGrace", "soon")]
    [InlineData("StopGrace", "5")]
    [InlineData("UnknownFields", "maybe")]
    [InlineData("AllowedHosts:0", "http://a")]
    [InlineData("AllowedHosts", "a.example")]
    [InlineData("Cors:Origins:0", "a.example")]
    [InlineData("Cors:Origins:1", "https://a.example/path")]
    [InlineData("Cors:Origins", "*")]
    [InlineData("Name", "a b")]
    [InlineData("Urls", "127.0.0.1:5080")]
    [InlineData("Urls", "ftp://127.0.0.1")]
    [InlineData("Urls", "http://127.0.0.1:65536")]
    [InlineData("Urls", "http://127.0.0.1:5080/path")]
    [InlineData("Urls", "http://0.0.0.0:5080")]
    [InlineData("Urls", "http://*:5080")]
    [InlineData("Urls", "http://127.0.0.1:5080;http://192.0.2.1:5080")]
    [InlineData("ApiKeyFile", "missing-file")]
    [InlineData("Model", "missing-folder")]
    [InlineData("Prices:Input", "-1")]
    [InlineData("Prices:Output", "NaN")]
    [InlineData("Swap", "1GiB")]
    [InlineData("Hott", "1GiB")]
    public void AWrongSettingStopsTheStartWithNameValueAndRule(string key, string value)
    {
        StartException e = Assert.Throws<StartException>(() => Read((key, value)));

        string line = Assert.Single(e.Lines);
        Assert.StartsWith($"KvTiers:{(key == "Store" && value == "redis" ? "StoreRedis" : key)} = '", line);
        if (key == "Store" && value == "redis") value = "";
        Assert.Contains(key == "Urls" ? value.Split(';')[^1] : value, line);
        Assert.Contains("': must be ", line);
    }

    [Theory]
    [InlineData("Hot", "1MiB")]
    [InlineData("Weights", "int8")]
    [InlineData("Weights", "int4")]
    [InlineData("WeightCache", "off")]
    [InlineData("Threads", "64")]
    [InlineData("Threads", "1")]
    [InlineData("AnswerTokens", "1")]
    [InlineData("ContextPolicy", "refuse")]
    [InlineData("ContextPolicy", "summarize")]
    [InlineData("ContextKeep", "0.1")]
    [InlineData("ContextKeep", "0.9")]
    [InlineData("SummaryTokens", "16")]
    [InlineData("SummaryTokens", "4096")]
    [InlineData("BreakpointShare", "0")]
    [InlineData("BreakpointShare", "1")]
    [InlineData("AnswerTokens", "1000000")]
    [InlineData("MaxTurns", "100000")]
    [InlineData("DiskKeepFree", "0")]
    [InlineData("DiskKeepFree", "1MiB")]
    [InlineData("DiskKeepFree", "1024TiB")]
    [InlineData("TemplateSteps", "1000")]
    [InlineData("TemplateSteps", "1000000000")]
    [InlineData("TemplateBytes", "64KiB")]
    [InlineData("TemplateBytes", "16GiB")]
    [InlineData("MaxBody", "1KiB")]
    [InlineData("MaxBody", "1GiB")]
    [InlineData("StopGrace", "0s")]
    [InlineData("StopGrace", "600s")]
    [InlineData("StopGrace", "00:10:00")]
    [InlineData("Urls", "http://localhost:0;http://[::1]:5080;https://127.0.0.2:1")]
    [InlineData("Prices:Input", "0")]
    [InlineData("Watermarks", "off")]
    [InlineData("Watermarks", "0.001,1")]
    public void ABoundaryIsInside(string key, string value) => Read((key, value));

    [Fact]
    public void WhenBlocksAreWrittenIsReadForEachTier()
    {
        SiloOptions options = Read(("Watermarks", "0.05,0.1"), ("DiskWrite", "on-seal"), ("RedisWrite", "On-Second-Use"));
        Assert.Equal((new Watermarks(0.05, 0.1), WritePolicy.OnSeal, WritePolicy.OnSecondUse), (options.Watermarks, options.DiskWrite, options.RedisWrite));
    }

    [Fact]
    public void WhoMayAskAndWithWhichFieldsIsRead()
    {
        SiloOptions options = Read(("UnknownFields", "Ignore"), ("AllowedHosts:0", "host.docker.internal"), ("Cors:Origins:0", "app://"), ("Cors:Origins:1", "null"));

        Assert.True(options.IgnoreUnknownFields);
        Assert.Equal(["host.docker.internal"], options.AllowedHosts);
        Assert.Equal(["app://", "null"], options.CorsOrigins);
        Assert.False(Read(("UnknownFields", "refuse")).IgnoreUnknownFields);
        Assert.False(Read().IgnoreUnknownFields);
    }

    [Fact]
    public void AStoreOnRedisHasItsOwnServerOrTheTiers()
    {
        SiloOptions options = Read(("Store", "redis"), ("Redis", "127.0.0.1:1"), ("StoreTtl", "30d"), ("StoreDeadline", "500ms"));
        Assert.Equal((StoreKind.Redis, null, TimeSpan.FromDays(30), TimeSpan.FromMilliseconds(500)), (options.Store, options.StoreRedis, options.StoreTtl, options.StoreDeadline));
        options = Read(("Store", "redis"), ("StoreRedis", "127.0.0.1:2"), ("StoreTtl", "off"));
        Assert.Equal(("127.0.0.1:2", null), (options.StoreRedis, options.StoreTtl));
        Assert.Equal(StoreKind.File, Read().Store);
    }

    [Fact]
    public void ATimeToLiveOfFilesIsRefused()
    {
        StartException e = Assert.Throws<StartException>(() => Read(("StoreTtl", "1m")));
        Assert.Contains("KvTiers:StoreTtl = '00:01:00': must be removed", Assert.Single(e.Lines));
    }

    [Fact]
    public void AllWrongSettingsAreToldAtOnce()
    {
        StartException e = Assert.Throws<StartException>(() => Read(("Hot", "x"), ("Kv", "y"), ("Nope", "z")));

        Assert.Equal(3, e.Lines.Count);
    }

    [Fact]
    public void KeysAllowOtherAddresses()
    {
        string file = _folder.Path("keys");
        File.WriteAllText(file, "acme 0123456789abcdef\n");

        Assert.Equal(["http://0.0.0.0:5080"], Read(("Urls", "http://0.0.0.0:5080"), ("ApiKeyFile", file)).Urls);
    }

    [Fact]
    public void TheUsualUrlsVariableCounts() =>
        Assert.Equal(["http://127.0.0.1:7"], SiloOptionsReader.Read(Configuration([("KvTiers:Model", _model), ("urls", "http://127.0.0.1:7")])).Urls);

    [Fact]
    public void EndpointsOfKestrelMustBeLoopbackToo() =>
        Assert.Throws<StartException>(() => SiloOptionsReader.Read(
            Configuration([("KvTiers:Model", _model), ("Kestrel:Endpoints:Open:Url", "http://0.0.0.0:9")])));

    private SiloOptions Read(params IEnumerable<(string Key, string Value)> settings) =>
        SiloOptionsReader.Read(Configuration([("KvTiers:Model", _model), .. settings.Select(setting => ("KvTiers:" + setting.Key, setting.Value))]));

    private static IConfiguration Configuration(IEnumerable<(string Key, string Value)> settings)
    {
        var values = new Dictionary<string, string?>();
        foreach ((string key, string value) in settings) values[key] = value;
        return new ConfigurationBuilder().AddInMemoryCollection(values).Build();
    }
}
