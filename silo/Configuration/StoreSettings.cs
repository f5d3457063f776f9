using System.Globalization;

namespace KvTiers.Silo.Configuration;

/// <summary>The settings of the conversation store: <c>Store</c>, and what only a store on Redis has.</summary>
internal static class StoreSettings
{
    /// <summary>What <see cref="ParseDeadline"/> takes.</summary>
    public const string DeadlineRule = "a time such as 500ms or 2s, from 10ms to 60s";

    private static readonly TimeSpan LeastTtl = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MostTtl = TimeSpan.FromDays(3650);
    private static readonly TimeSpan LeastDeadline = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan MostDeadline = TimeSpan.FromSeconds(60);

    /// <summary>The options with what is set.</summary>
    public static SiloOptions Read(SettingsReader reader, SiloOptions options) => options with
    {
        Store = reader.Read("Store", options.Orleans.Cluster is null ? options.Store : StoreKind.Redis, "file or redis", ParseStore),
        StoreRedis = reader.Read<string?>("StoreRedis", null, "a server's address such as 127.0.0.1:6379", SiloOptionsReader.ParseRedis),
        StoreTtl = reader.Read<TimeSpan?>("StoreTtl", null, "off, or a time such as 90m, 12h or 30d, from 1m to 3650d", ParseTtl),
        StoreDeadline = reader.Read("StoreDeadline", options.StoreDeadline, DeadlineRule, ParseDeadline),
    };

    /// <summary>What does not go together.</summary>
    public static IEnumerable<SettingError> Conflicts(SiloOptions options)
    {
        if (options.Store == StoreKind.Redis)
        {
            if (AddressOf(options) is null)
                yield return new SettingError("KvTiers:StoreRedis", "", "a server's address such as 127.0.0.1:6379 (or KvTiers:Redis one), as KvTiers:Store is redis");
            yield break;
        }

        if (options.StoreRedis is { } address)
            yield return new SettingError("KvTiers:StoreRedis", address, "removed, or KvTiers:Store redis");
        if (options.StoreTtl is { } live)
            yield return new SettingError("KvTiers:StoreTtl", live.ToString("c", CultureInfo.InvariantCulture), "removed, or KvTiers:Store redis: files stay until they are deleted");
    }

    /// <summary>The Redis server of the store.</summary>
    public static string? AddressOf(SiloOptions options) => options.StoreRedis ?? options.Orleans.Cluster ?? options.Redis;

    private static bool ParseStore(string text, out StoreKind value)
    {
        value = text.Equals("redis", StringComparison.OrdinalIgnoreCase) ? StoreKind.Redis : StoreKind.File;
        return value == StoreKind.Redis || text.Equals("file", StringComparison.OrdinalIgnoreCase);
    }

    private static bool ParseTtl(string text, out TimeSpan? value)
    {
        value = null;
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return true;
        bool read = TryParse(text, out TimeSpan time) && time >= LeastTtl && time <= MostTtl;
        value = read ? time : null;
        return read;
    }

    /// <summary>A deadline of calls to a Redis server.</summary>
    public static bool ParseDeadline(string text, out TimeSpan value) => TryParse(text, out value) && value >= LeastDeadline && value <= MostDeadline;

    internal static bool TryParse(string text, out TimeSpan value)
    {
        value = default;
        foreach ((string unit, double seconds) in new[] { ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400) })
        {
            if (!text.EndsWith(unit, StringComparison.Ordinal)
                || !double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
                continue;
            bool inRange = number * seconds <= MostTtl.TotalSeconds;
            value = inRange ? TimeSpan.FromSeconds(number * seconds) : default;
            return inRange;
        }

        return false;
    }
}
