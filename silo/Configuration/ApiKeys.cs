using System.Security.Cryptography;
using KvTiers.Sessions.Access;

namespace KvTiers.Silo.Configuration;

/// <summary>Who may call, and how much of the server each tenant may take: the key file, as it was read last.</summary>
/// <remarks>
/// Only digests of keys are kept. A key is looked for under an HMAC of its digest, with a secret of this process, and its digest is then compared in constant time: how long
/// a lookup takes says nothing about any key. A file that breaks a rule is refused at the start; later it leaves what was read before in force.
/// </remarks>
internal sealed class ApiKeys
{
    /// <summary>The tenant of everyone while there are no keys.</summary>
    public const string OnlyTenant = "default";

    private readonly string? _path;
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly TimeProvider _time;
    private volatile KnownKeys _known;
    private volatile string? _problem;

    private ApiKeys(string? path, AccessFile file, bool isPlain, TimeProvider time)
    {
        _path = path;
        _time = time;
        IsPlain = isPlain;
        _known = Know(file);
    }

    /// <summary>No keys: one tenant, which is its own administrator.</summary>
    public static ApiKeys None { get; } = new(null, new AccessFile(), isPlain: false, TimeProvider.System);

    /// <summary>True when calls must carry a key.</summary>
    public bool Required => _path is not null;

    /// <summary>True when the file has the older form, with keys as they are.</summary>
    public bool IsPlain { get; private set; }

    /// <summary>What is wrong with the file since it changed, in which case what was read before holds; null = nothing.</summary>
    public string? Problem => _problem;

    /// <summary>Every tenant that has a key, sorted.</summary>
    public IReadOnlyList<string> Tenants => Required ? _known.Tenants : [OnlyTenant];

    /// <summary>Reads a key file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="time">The clock by which keys expire; the system's by default.</param>
    /// <exception cref="StartException">The file cannot be read, or something in it breaks a rule. Keys are never shown.</exception>
    public static ApiKeys Load(string path, TimeProvider? time = null)
    {
        try
        {
            (AccessFile file, bool isPlain) = Read(path);
            return new ApiKeys(path, file, isPlain, time ?? TimeProvider.System);
        }
        catch (AccessFormatException e)
        {
            throw new StartException([.. e.Faults.Select(fault => $"KvTiers:ApiKeyFile = '{path}': {fault}")]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"KvTiers:ApiKeyFile = '{path}': must be a readable file ({e.Message})", e);
        }
    }

    /// <summary>Reads the file anew.</summary>
    /// <returns>False: it is no good, what was read before holds, and <see cref="Problem"/> says why.</returns>
    public bool Reload()
    {
        try
        {
            (AccessFile file, bool isPlain) = Read(_path!);
            _known = Know(file);
            (IsPlain, _problem) = (isPlain, null);
        }
        catch (Exception e) when (e is AccessFormatException or IOException or UnauthorizedAccessException)
        {
            _problem = $"the key file '{_path}' is no good, and what it held before is in force: {(e as AccessFormatException)?.Faults[0] ?? e.Message}";
        }

        return _problem is null;
    }

    /// <summary>The key that a caller sent; null = it is not known, or expired.</summary>
    public ApiKeyEntry? Find(string? key)
    {
        if (key is null || !Required) return null;
        byte[] digest = ApiKey.Digest(key);
        return _known.Keys.TryGetValue(NameOf(digest), out KnownKey? known) && CryptographicOperations.FixedTimeEquals(digest, known.Digest) && !(known.Entry.ExpiresAt <= _time.GetUtcNow())
            ? known.Entry
            : null;
    }

    /// <summary>The tenant that the key belongs to, or null when the key is unknown or an admin key.</summary>
    public string? TenantOf(string? key) => !Required ? OnlyTenant : Find(key) is { Tenant: not AccessFile.Administrator } entry ? entry.Tenant : null;

    /// <summary>True when the key is an admin key, or no keys exist.</summary>
    public bool IsAdministrator(string? key) => !Required || Find(key) is { Tenant: AccessFile.Administrator };

    /// <summary>What a tenant may take up.</summary>
    public TenantLimits LimitsOf(string tenant) => _known.File.LimitsOf(tenant);

    /// <summary>True when any tenant has a bound on the bytes of its blocks.</summary>
    public bool HasTierBytes => _known.File.Tenants.Values.Any(limits => limits.TierBytes is not null);

    /// <summary>A tenant's share beside one of weight 1; infinite where there is but one tenant, which need leave nothing for others.</summary>
    public double WeightOf(string tenant) => Tenants.Count > 1 ? LimitsOf(tenant).Weight ?? 1 : double.PositiveInfinity;

    private static (AccessFile File, bool IsPlain) Read(string path)
    {
        byte[] text = File.ReadAllBytes(path);
        return (AccessFile.Parse(text), AccessFile.IsPlain(text));
    }

    private KnownKeys Know(AccessFile file) => new(
        file,
        file.Keys.Select(entry => new KnownKey(Convert.FromHexString(entry.Sha256), entry)).ToDictionary(known => NameOf(known.Digest), StringComparer.Ordinal),
        [.. file.Keys.Select(key => key.Tenant).Where(tenant => tenant != AccessFile.Administrator).Distinct().Order(StringComparer.Ordinal)]);

    private string NameOf(byte[] digest) => Convert.ToHexString(HMACSHA256.HashData(_secret, digest));

    private sealed record KnownKey(byte[] Digest, ApiKeyEntry Entry);

    private sealed record KnownKeys(AccessFile File, IReadOnlyDictionary<string, KnownKey> Keys, IReadOnlyList<string> Tenants);
}
