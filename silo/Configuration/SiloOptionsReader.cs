using System.Globalization;
using System.Net;
using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Secrets;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Silo.Configuration;

/// <summary>Turns the configuration into <see cref="SiloOptions"/>; the one place where a setting's key, range and rule stand.</summary>
internal static class SiloOptionsReader
{
    private const string FormatRule = "hot, bf16, fp8, int8 or int4";
    private const string WriteRule = "on-demote, on-second-use or on-seal";

    private static readonly SiloOptions Defaults = new();

    /// <summary>Reads and checks every setting.</summary>
    /// <exception cref="StartException">Settings are wrong or unknown: one line for each, with name, value and rule.</exception>
    public static SiloOptions Read(IConfiguration configuration)
    {
        var reader = new SettingsReader(configuration.GetSection("KvTiers"));
        long memoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        string asked = reader.Read("Model", Defaults.Model, "a folder or a .gguf file", Any);
        var options = new SiloOptions
        {
            Model = asked,
            Urls = reader.Read("Urls", Fallback(configuration["urls"]), "http:// or https:// addresses with ';' between them, such as http://127.0.0.1:5080", ParseUrls),
            Data = reader.Read("Data", Path.GetFullPath(Defaults.Data), "a path", ParsePath),
            HotBytes = reader.Read("Hot", Defaults.HotBytes, $"a size such as 512MiB, from 1MiB to the machine's {ByteSize.Format(memoryBytes)}", Size(1L << 20, memoryBytes)),
            RamBytes = reader.Read("Ram", Defaults.RamBytes, $"0, or a size such as 1GiB, from 1MiB to the machine's {ByteSize.Format(memoryBytes)}", SizeOrNone(1L << 20, memoryBytes)),
            DiskBytes = reader.Read("Disk", Defaults.DiskBytes, "0, or a size such as 10GiB, from 1MiB to 1PiB", SizeOrNone(1L << 20, 1L << 50)),
            DiskKeepFreeBytes = reader.Read<long?>("DiskKeepFree", null, "0, or a size such as 1GiB, from 1MiB to 1PiB", (string text, out long? value) =>
            {
                bool read = SizeOrNone(1L << 20, 1L << 50)(text, out long bytes);
                value = bytes;
                return read;
            }),
            Redis = reader.Read<string?>("Redis", null, "a server's address such as 127.0.0.1:6379", ParseRedis),
            RedisBytes = reader.Read("RedisBytes", Defaults.RedisBytes, "a size such as 1GiB, from 1MiB to 1PiB", Size(1L << 20, 1L << 50)),
            RedisDeadline = reader.Read("RedisDeadline", Defaults.RedisDeadline, StoreSettings.DeadlineRule, StoreSettings.ParseDeadline),
            RedisReadAtOnceBytes = reader.Read("RedisReadAtOnce", Defaults.RedisReadAtOnceBytes, "a size such as 8MiB, from 64KiB to 1GiB", Size(64L << 10, 1L << 30)),
            RamFormat = reader.Read("RamFormat", Defaults.RamFormat, FormatRule, ParseFormat),
            DiskFormat = reader.Read("DiskFormat", Defaults.DiskFormat, FormatRule, ParseFormat),
            RedisFormat = reader.Read("RedisFormat", Defaults.RedisFormat, FormatRule, ParseFormat),
            TenantBytes = reader.Read("TenantBytes", Defaults.TenantBytes, "0, or a size such as 1GiB, from 1MiB to 1PiB", SizeOrNone(1L << 20, 1L << 50)),
            Watermarks = reader.Read<Watermarks?>("Watermarks", null, "off, or two fractions such as 0.05,0.1 with 0 < low < high ≤ 1", ParseWatermarks),
            DiskWrite = reader.Read("DiskWrite", Defaults.DiskWrite, WriteRule, ParseWrite),
            RedisWrite = reader.Read("RedisWrite", Defaults.RedisWrite, WriteRule, ParseWrite),
            Promotion = reader.Read("Promotion", Defaults.Promotion, "by-rate, always or never", ParsePromotion),
            SystemPrompts = reader.ReadList("SystemPrompts", "a text that is not empty", text => !string.IsNullOrWhiteSpace(text)),
            WarmAhead = reader.Read("WarmAhead", Defaults.WarmAhead, "a time such as 10s or 00:00:10, from 0 (off) to 10 minutes", ParseGrace),
            Kv = reader.Read("Kv", Defaults.Kv, "f32 or bf16", ParseKv),
            Weights = reader.Read("Weights", Defaults.Weights, "auto, f32, bf16, int8 or int4", ParseWeights),
            WeightCache = reader.Read("WeightCache", Defaults.WeightCache, "on or off", ParseSwitch),
            Engine = reader.Read("Engine", Defaults.Engine, EngineSettings.Rule, EngineSettings.TryParse),
            Threads = reader.Read("Threads", Defaults.Threads, "a whole number from 1 to 64", Integer(1, 64)),
            ApiKeyFile = reader.Read<string?>("ApiKeyFile", null, "the path of a file that exists", ParseFile),
            TenantSecret = reader.Read<byte[]?>("TenantSecret", null, "64 hexadecimal characters", SecretFile.TryParse),
            TenantSecretFile = reader.Read<string?>("TenantSecretFile", null, "the path of a file that exists", ParseFile),
            Name = reader.Read("Name", Defaults.Name, "1 to 64 of the characters A-Z a-z 0-9 . _ -", ParseName),
            BreakpointShare = reader.Read("BreakpointShare", Defaults.BreakpointShare, "a fraction such as 0.25, from 0 to 1", ParseShare),
            AnswerTokens = reader.Read("AnswerTokens", Defaults.AnswerTokens, "a whole number from 1 to 1000000", Integer(1, 1_000_000)),
            MaxTurns = reader.Read("MaxTurns", Defaults.MaxTurns, "a whole number from 1 to 100000", Integer(1, 100_000)),
            MaxBodyBytes = reader.Read("MaxBody", Defaults.MaxBodyBytes, "a size such as 16MiB, from 1KiB to 1GiB", Size(1L << 10, 1L << 30)),
            Template = new TemplateLimits
            {
                Steps = reader.Read("TemplateSteps", (int)Defaults.Template.Steps, "a whole number from 1000 to 1000000000", Integer(1000, 1_000_000_000)),
                Bytes = reader.Read("TemplateBytes", Defaults.Template.Bytes, "a size such as 16MiB, from 64KiB to 16GiB", Size(64L << 10, 16L << 30)),
            },
            AllowedHosts = reader.ReadList("AllowedHosts", OriginSettings.HostRule, OriginSettings.IsHost),
            CorsOrigins = reader.ReadList("Cors:Origins", OriginSettings.OriginRule, OriginSettings.IsOrigin),
            IgnoreUnknownFields = reader.Read("UnknownFields", false, "refuse or ignore", OriginSettings.ParseUnknownFields),
            StopGrace = reader.Read("StopGrace", Defaults.StopGrace, "a time such as 20s or 00:00:20, from 0 to 10 minutes", ParseGrace),
            Prices = new PriceOptions
            {
                Input = reader.Read("Prices:Input", 0.0, "a number of at least 0", ParsePrice),
                CachedInput = reader.Read<double?>("Prices:CachedInput", null, "a number of at least 0", ParseOptionalPrice),
                Output = reader.Read("Prices:Output", 0.0, "a number of at least 0", ParsePrice),
                Currency = reader.Read("Prices:Currency", Defaults.Prices.Currency, "a short name such as USD", ParseCurrency),
            },
        };
        options = OrleansSettings.Read(reader, options);
        options = StoreSettings.Read(reader, options);
        options = RecordSettings.Read(reader, options);
        options = ContextSettings.Read(reader, options);

        List<SettingError> errors = [.. reader.Errors()];
        if (options is { TenantSecret: not null, TenantSecretFile: not null })
            errors.Add(new SettingError("KvTiers:TenantSecretFile", options.TenantSecretFile, "removed, as KvTiers:TenantSecret is set"));
        if (errors.Count == 0) errors.AddRange([.. EngineSettings.Conflicts(options), .. StoreSettings.Conflicts(options), .. OrleansSettings.Conflicts(options), .. RecordSettings.Conflicts(options)]);
        string? model = ModelFolder.Find(asked);
        if (model is null) errors.Add(new SettingError("KvTiers:Model", asked, ModelFolder.Rule));
        if (options.ApiKeyFile is null)
        {
            errors.AddRange(ListenAddresses(options, configuration)
                .Where(url => !IsLoopback(url))
                .Select(url => new SettingError("KvTiers:Urls", url, "a loopback address (127.0.0.1, [::1], localhost) while there are no API keys; set KvTiers:ApiKeyFile (--api-key-file) to listen elsewhere")));
        }

        if (errors.Count > 0) throw new StartException([.. errors.Select(error => error.ToString())]);
        return options with { Model = model! };
    }

    /// <summary>True when only this machine can reach the address.</summary>
    public static bool IsLoopback(string url)
    {
        string host = BindingAddress.Parse(url).Host;
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return true;
        return IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address);
    }

    private static IReadOnlyList<string> Fallback(string? urls) =>
        urls is not null && ParseUrls(urls, out IReadOnlyList<string> list) ? list : Defaults.Urls;

    // Kestrel's own endpoints, where configured, take the place of the URLs; the loopback rule holds for them too.
    private static IEnumerable<string> ListenAddresses(SiloOptions options, IConfiguration configuration) =>
        options.Urls.Concat(configuration.GetSection("Kestrel:Endpoints").GetChildren()
            .Select(endpoint => endpoint["Url"])
            .OfType<string>()
            .Where(url => ParseUrls(url, out _)));

    private static bool Any(string text, out string value)
    {
        value = text;
        return true;
    }

    private static bool ParsePath(string text, out string value)
    {
        bool legal = !text.Contains('\0', StringComparison.Ordinal);
        value = legal ? Path.GetFullPath(text) : "";
        return legal;
    }

    internal static bool ParseFile(string text, out string? value)
    {
        value = File.Exists(text) ? Path.GetFullPath(text) : null;
        return value is not null;
    }

    private static bool ParseUrls(string text, out IReadOnlyList<string> value)
    {
        string[] urls = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        value = urls;
        return urls.Length > 0 && urls.All(IsHttpAddress);
    }

    private static bool IsHttpAddress(string url)
    {
        if (!url.StartsWith("http://", StringComparison.OrdinalIgnoreCase) && !url.StartsWith("https://", StringComparison.OrdinalIgnoreCase)) return false;
        try
        {
            BindingAddress address = BindingAddress.Parse(url);
            return address.Host.Length > 0 && address.Port is >= 0 and <= 65_535 && address.PathBase.Length == 0;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static bool ParseWatermarks(string text, out Watermarks? value)
    {
        value = null;
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return true;
        if (text.Split(',') is not [string low, string high] || !ParseFraction(low, out double from) || !ParseFraction(high, out double to)) return false;
        value = new Watermarks(from, to);
        return value.Value.IsValid;
    }

    private static bool ParseFraction(string text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);

    private static bool ParseShare(string text, out double value) => ParseFraction(text, out value) && value <= 1;

    private static bool ParseWrite(string text, out WritePolicy value)
    {
        WritePolicy? policy = text.ToLowerInvariant() switch
        {
            "on-demote" => WritePolicy.OnDemote,
            "on-second-use" => WritePolicy.OnSecondUse,
            "on-seal" => WritePolicy.OnSeal,
            _ => null,
        };
        value = policy ?? default;
        return policy is not null;
    }

    private static bool ParsePromotion(string text, out PromotionPolicy value)
    {
        PromotionPolicy? policy = text.ToLowerInvariant() switch
        {
            "by-rate" => PromotionPolicy.ByRate,
            "always" => PromotionPolicy.Always,
            "never" => PromotionPolicy.Never,
            _ => null,
        };
        value = policy ?? default;
        return policy is not null;
    }

    private static bool ParseFormat(string text, out BlockEncoding value)
    {
        BlockEncoding? format = text.ToLowerInvariant() switch
        {
            "hot" => BlockEncoding.Hot,
            "bf16" => BlockEncoding.BFloat16,
            "fp8" => BlockEncoding.Float8E4M3,
            "int8" => BlockEncoding.Int8,
            "int4" => BlockEncoding.Int4,
            _ => null,
        };
        value = format ?? default;
        return format is not null;
    }

    private static bool ParseKv(string text, out KvFormat value)
    {
        value = text.Equals("bf16", StringComparison.OrdinalIgnoreCase) ? KvFormat.BF16 : KvFormat.F32;
        return value == KvFormat.BF16 || text.Equals("f32", StringComparison.OrdinalIgnoreCase);
    }

    private static bool ParseWeights(string text, out WeightFormat value)
    {
        WeightFormat? format = text.ToLowerInvariant() switch
        {
            "auto" => WeightFormat.AsStored,
            "f32" => WeightFormat.F32,
            "bf16" => WeightFormat.BF16,
            "int8" => WeightFormat.Int8,
            "int4" => WeightFormat.Int4,
            _ => null,
        };
        value = format ?? default;
        return format is not null;
    }

    internal static bool ParseSwitch(string text, out bool value)
    {
        value = text.Equals("on", StringComparison.OrdinalIgnoreCase);
        return value || text.Equals("off", StringComparison.OrdinalIgnoreCase);
    }

    internal static bool ParseName(string text, out string value)
    {
        value = text;
        return text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
    }

    private static bool ParseCurrency(string text, out string value)
    {
        value = text;
        return text.Length <= 16;
    }

    private static bool ParsePrice(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value) && value >= 0;

    private static bool ParseOptionalPrice(string text, out double? value)
    {
        bool read = ParsePrice(text, out double price);
        value = read ? price : null;
        return read;
    }

    private static bool ParseGrace(string text, out TimeSpan value)
    {
        bool read = text.EndsWith('s') && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            ? TrySeconds(seconds, out value)
            : TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out value) && text.Contains(':', StringComparison.Ordinal);
        return read && value >= TimeSpan.Zero && value <= TimeSpan.FromMinutes(10);
    }

    private static bool TrySeconds(double seconds, out TimeSpan value)
    {
        bool inRange = seconds <= 600;
        value = inRange ? TimeSpan.FromSeconds(seconds) : default;
        return inRange;
    }

    internal static bool ParseRedis(string text, out string? value)
    {
        value = text;

        // No URIs and no user before the host: they would be taken for the host's name, and shown wherever that is.
        return text.Length > 0 && text.Split(',').All(part => part.Contains('=', StringComparison.Ordinal)
            || !(part.Contains('@', StringComparison.Ordinal) || part.Contains("://", StringComparison.Ordinal) || part.StartsWith("redis:", StringComparison.OrdinalIgnoreCase)));
    }

    private static SettingsReader.Parse<long> SizeOrNone(long least, long most) =>
        (string text, out long value) => (text == "0" && (value = 0) == 0) || Size(least, most)(text, out value);

    private static SettingsReader.Parse<long> Size(long least, long most) =>
        (string text, out long value) => ByteSize.TryParse(text, out value) && value >= least && value <= most;

    internal static SettingsReader.Parse<int> Integer(int least, int most) =>
        (string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most;
}
