using System.Globalization;
using System.Net;
using System.Numerics;

namespace KvTiers.Silo.Configuration;

/// <summary>How this server is an Orleans silo. Section <c>KvTiers:Orleans</c>, and <c>KvTiers:Cluster</c>.</summary>
internal sealed record OrleansSettings
{
    private const string NameRule = "1 to 64 of the characters A-Z a-z 0-9 . _ -";

    private static readonly OrleansSettings Defaults = new();

    /// <summary>Redis server by which silos find each other; null: this silo is alone.</summary>
    public string? Cluster { get; init; }

    /// <summary>Silos with the same one form a cluster.</summary>
    public string ClusterId { get; init; } = "kvtiers";

    /// <summary>Names what the cluster serves, over all its deployments.</summary>
    public string ServiceId { get; init; } = "kvtiers";

    /// <summary>Where the other silos and cluster clients reach this one; null: the address that the machine's name has.</summary>
    public IPAddress? Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port for the other silos, 1 to 65,535; null: 11111, or the next free one.</summary>
    public int? SiloPort { get; init; }

    /// <summary>Port for cluster clients, 1 to 65,535; null: 30000, or the next free one.</summary>
    public int? GatewayPort { get; init; }

    /// <summary>A conversation that nobody used for so long leaves memory, and gives up its blocks; 2 s to 1 day.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Conversations are placed anywhere, and not where their blocks are.</summary>
    public bool RandomPlacement { get; init; }

    /// <summary>Share above the mean number of conversations that a silo may have before placement passes it over, 0 to 10.</summary>
    public double LoadSlack { get; init; } = 0.25;

    /// <summary>How often silos tell each other what they hold, 100 ms to 1 min.</summary>
    public TimeSpan PublishEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of what a silo tells of its blocks, a power of two from 1 KiB to 16 MiB.</summary>
    public int SummaryBytes { get; init; } = 64 << 10;

    /// <summary>The options with what is set.</summary>
    public static SiloOptions Read(SettingsReader reader, SiloOptions options)
    {
        var settings = new OrleansSettings
        {
            Cluster = reader.Read<string?>("Cluster", null, "a server's address such as 127.0.0.1:6379", SiloOptionsReader.ParseRedis),
            ClusterId = reader.Read("Orleans:ClusterId", Defaults.ClusterId, NameRule, SiloOptionsReader.ParseName),
            ServiceId = reader.Read("Orleans:ServiceId", Defaults.ServiceId, NameRule, SiloOptionsReader.ParseName),
            Address = reader.Read("Orleans:Address", Defaults.Address, "an IP address, or auto for the one that the machine's name has", ParseAddress),
            SiloPort = reader.Read("Orleans:SiloPort", Defaults.SiloPort, "auto, or a port from 1 to 65535", ParsePort),
            GatewayPort = reader.Read("Orleans:GatewayPort", Defaults.GatewayPort, "auto, or a port from 1 to 65535", ParsePort),
            IdleAfter = reader.Read("Orleans:IdleAfter", Defaults.IdleAfter, "a time such as 30s or 5m, from 2s to 24h", Time(TimeSpan.FromSeconds(2), TimeSpan.FromDays(1))),
            RandomPlacement = reader.Read("Orleans:Placement", Defaults.RandomPlacement, "prefix or random", ParsePlacement),
            LoadSlack = reader.Read("Orleans:LoadSlack", Defaults.LoadSlack, "a number from 0 to 10", ParseSlack),
            PublishEvery = reader.Read("Orleans:PublishEvery", Defaults.PublishEvery, "a time such as 500ms or 1s, from 100ms to 1m", Time(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1))),
            SummaryBytes = reader.Read("Orleans:SummaryBytes", Defaults.SummaryBytes, "a size that is a power of two, from 1KiB to 16MiB", ParseSummaryBytes),
        };
        return options with { Orleans = settings };
    }

    /// <summary>What does not go together.</summary>
    public static IEnumerable<SettingError> Conflicts(SiloOptions options)
    {
        OrleansSettings settings = options.Orleans;
        if (settings.Cluster is not null && options.Store != StoreKind.Redis)
            yield return new SettingError("KvTiers:Store", "file", "redis with KvTiers:Cluster, as any silo may have to continue a conversation");
        if (settings.GatewayPort is { } gateway && gateway == settings.SiloPort)
            yield return new SettingError("KvTiers:Orleans:GatewayPort", gateway.ToString(CultureInfo.InvariantCulture), "another port than KvTiers:Orleans:SiloPort");
    }

    private static bool ParseAddress(string text, out IPAddress? value)
    {
        value = null;
        return text.Equals("auto", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(text, out value);
    }

    private static bool ParsePort(string text, out int? value)
    {
        value = null;
        if (text.Equals("auto", StringComparison.OrdinalIgnoreCase)) return true;
        bool read = SiloOptionsReader.Integer(1, 65_535)(text, out int port);
        value = read ? port : null;
        return read;
    }

    private static bool ParsePlacement(string text, out bool value)
    {
        value = text.Equals("random", StringComparison.OrdinalIgnoreCase);
        return value || text.Equals("prefix", StringComparison.OrdinalIgnoreCase);
    }

    private static bool ParseSlack(string text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) && value <= 10;

    private static bool ParseSummaryBytes(string text, out int value)
    {
        bool read = ByteSize.TryParse(text, out long bytes) && bytes is >= 1 << 10 and <= 16 << 20 && BitOperations.IsPow2(bytes);
        value = read ? (int)bytes : 0;
        return read;
    }

    private static SettingsReader.Parse<TimeSpan> Time(TimeSpan least, TimeSpan most) =>
        (string text, out TimeSpan value) => StoreSettings.TryParse(text, out value) && value >= least && value <= most;
}
