using KvTiers.Keys;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Models;

/// <summary>What protects each kind of record that leaves the process: the keys that are given, or for the disk tier one of the data folder's own.</summary>
internal static class RecordKeys
{
    private const string FileName = "record-key";

    /// <summary>What protects the Redis tier; null = no key is given.</summary>
    /// <exception cref="StartException">A key's file cannot be used.</exception>
    public static RecordProtection? ForRedis(SiloOptions options) => Given(options, "redis");

    /// <summary>What protects stored conversations; null = no key is given.</summary>
    /// <exception cref="StartException">A key's file cannot be used.</exception>
    public static RecordProtection? ForStore(SiloOptions options) => Given(options, "store");

    /// <summary>What protects the disk tier. Without a given key it is one that the first start writes into the data folder, for its owner alone.</summary>
    /// <exception cref="StartException">A key's file cannot be used.</exception>
    public static RecordProtection ForDisk(SiloOptions options)
    {
        if (Given(options, "disk") is { } given)
            return given;
        string path = Path.Combine(options.Data, FileName);
        return new(new KeyRing(new RecordKey(Use("KvTiers:Data", path, () => SecretFile.ReadOrCreate(path, TenantSalts.NewSecret())))));
    }

    private static RecordProtection? Given(SiloOptions options, string place)
    {
        RecordSettings records = options.Records;
        if ((records.Key ?? Read("KvTiers:RecordKeyFile", records.KeyFile)) is not { } secret)
            return null;
        byte[]? former = records.OldKey ?? Read("KvTiers:RecordKeyOldFile", records.OldKeyFile);
        return new(new KeyRing(new RecordKey(secret), former is null ? [] : [new RecordKey(former)])) { Encrypts = records.Encrypted.Contains(place) };
    }

    private static byte[]? Read(string key, string? path) =>
        path is null ? null : Use(key, path, () => SecretFile.Read(path) ?? throw new FormatException("It is gone."));

    private static byte[] Use(string key, string path, Func<byte[]> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new StartException($"{key}: the key for records in '{path}' cannot be used: {e.Message}", e);
        }
    }
}
