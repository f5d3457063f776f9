using System.Net;
using KvTiers.Sessions.Secrets;
using StackExchange.Redis;

namespace KvTiers.Silo.Configuration;

/// <summary>The keys of records that leave the process: blocks on disk and on Redis, and stored conversations.</summary>
internal sealed record RecordSettings
{
    /// <summary>What <see cref="Encrypted"/> may name.</summary>
    private static readonly string[] Places = ["disk", "redis", "store"];

    /// <summary>The key that writes, 32 bytes; null: the file's, or none.</summary>
    public byte[]? Key { get; init; }

    /// <summary>File that holds the key that writes.</summary>
    public string? KeyFile { get; init; }

    /// <summary>A former key, which what was written before is read with.</summary>
    public byte[]? OldKey { get; init; }

    /// <summary>File that holds a former key.</summary>
    public string? OldKeyFile { get; init; }

    /// <summary>Which records are encrypted too: those of the disk tier, the Redis tier, the conversation store.</summary>
    public IReadOnlyList<string> Encrypted { get; init; } = [];

    /// <summary>Whether stored conversations are read that no key sealed, though there is a key.</summary>
    public bool AcceptUnsigned { get; init; }

    /// <summary>Whether a key is given.</summary>
    public bool HasKey => Key is not null || KeyFile is not null;

    /// <summary>The options with what is set.</summary>
    public static SiloOptions Read(SettingsReader reader, SiloOptions options) => options with
    {
        Records = new RecordSettings
        {
            Key = reader.Read<byte[]?>("RecordKey", null, "64 hexadecimal characters", SecretFile.TryParse),
            KeyFile = reader.Read<string?>("RecordKeyFile", null, "the path of a file that exists", SiloOptionsReader.ParseFile),
            OldKey = reader.Read<byte[]?>("RecordKeyOld", null, "64 hexadecimal characters", SecretFile.TryParse),
            OldKeyFile = reader.Read<string?>("RecordKeyOldFile", null, "the path of a file that exists", SiloOptionsReader.ParseFile),
            Encrypted = reader.Read<IReadOnlyList<string>>("Encrypt", [], "off, all, or some of disk, redis and store with ',' between them", TryParsePlaces),
            AcceptUnsigned = reader.Read("AcceptUnsigned", false, "on or off", SiloOptionsReader.ParseSwitch),
        },
    };

    /// <summary>What does not go together.</summary>
    public static IEnumerable<SettingError> Conflicts(SiloOptions options)
    {
        RecordSettings records = options.Records;
        if (records is { Key: not null, KeyFile: { } file })
            yield return new SettingError("KvTiers:RecordKeyFile", file, "removed, as KvTiers:RecordKey is set");
        if (records is { OldKey: not null, OldKeyFile: { } old })
            yield return new SettingError("KvTiers:RecordKeyOldFile", old, "removed, as KvTiers:RecordKeyOld is set");
        if (records.HasKey)
            yield break;
        const string Rule = "removed, or KvTiers:RecordKey (or KvTiers:RecordKeyFile) set";
        if (records.OldKey is not null)
            yield return new SettingError("KvTiers:RecordKeyOld", "", Rule);
        if (records.OldKeyFile is { } former)
            yield return new SettingError("KvTiers:RecordKeyOldFile", former, Rule);
        if (records.Encrypted.Count > 0)
            yield return new SettingError("KvTiers:Encrypt", string.Join(',', records.Encrypted), Rule);
        if (records.AcceptUnsigned)
            yield return new SettingError("KvTiers:AcceptUnsigned", "on", Rule);
        foreach ((string name, string address) in AddressesOf(options))
        {
            if (!IsLoopback(address))
            {
                yield return new SettingError(
                    name, address, "on a loopback address (127.0.0.1, [::1], localhost) while records have no key: whoever can write that Redis would write answers; set KvTiers:RecordKey or KvTiers:RecordKeyFile, the same for all servers that share it");
            }
        }
    }

    /// <summary>Whether only this machine can reach a Redis server. True also for what is no address, which is somebody else's error.</summary>
    internal static bool IsLoopback(string address)
    {
        try
        {
            return ConfigurationOptions.Parse(address).EndPoints.All(place => place switch
            {
                IPEndPoint ip => IPAddress.IsLoopback(ip.Address),
                DnsEndPoint name => name.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase),
                _ => true,
            });
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    private static IEnumerable<(string Name, string Address)> AddressesOf(SiloOptions options)
    {
        if (options.Redis is { } blocks)
            yield return ("KvTiers:Redis", blocks);
        if (options.Store == StoreKind.Redis && StoreSettings.AddressOf(options) is { } store && store != options.Redis)
            yield return (store == options.StoreRedis ? "KvTiers:StoreRedis" : "KvTiers:Cluster", store);
    }

    private static bool TryParsePlaces(string text, out IReadOnlyList<string> value)
    {
        string[] words = text.ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries);
        value = words is ["off"] ? [] : words is ["all"] ? Places : words;
        return value.All(Places.Contains) && value.Distinct().Count() == value.Count;
    }
}
