using System.Text.Json;
using System.Text.Json.Serialization;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Access;

/// <summary>Who may call a server, and how much of it each tenant may take: what stands in its key file.</summary>
/// <remarks>
/// The file is JSON: <c>{"keys": [{"id", "tenant", "sha256", …}], "tenants": {"name": {"weight", "requests_per_second", …}, "*": {…}}}</c>. What a tenant's own
/// limits leave open is as <c>*</c> says. Names that are not known are faults, so that no limit is misspelt in silence.
/// </remarks>
public sealed record AccessFile
{
    /// <summary>The tenant name of keys that open the operator's routes and no conversation.</summary>
    public const string Administrator = "admin";

    /// <summary>Under this name stand the limits of tenants that have none of their own.</summary>
    public const string EveryTenant = "*";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    /// <summary>The keys.</summary>
    public IReadOnlyList<ApiKeyEntry> Keys { get; init; } = [];

    /// <summary>The limits of tenants, by name.</summary>
    public IReadOnlyDictionary<string, TenantLimits> Tenants { get; init; } = new Dictionary<string, TenantLimits>();

    /// <summary>Reads a file.</summary>
    /// <exception cref="AccessFormatException">It breaks a rule; <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when it cannot be read.</exception>
    public static AccessFile Read(string path) => Parse(File.ReadAllBytes(path));

    /// <summary>Reads the text of a file, in either form.</summary>
    /// <exception cref="AccessFormatException">It breaks a rule.</exception>
    public static AccessFile Parse(ReadOnlySpan<byte> utf8)
    {
        if (IsPlain(utf8))
            return PlainKeys.Parse(utf8);
        AccessFile file;
        try
        {
            file = JsonSerializer.Deserialize<AccessFile>(utf8, Json) ?? throw new AccessFormatException(["The file is null; it must be a JSON object."]);
        }
        catch (JsonException e)
        {
            // The reader's own message may quote what stands there.
            throw new AccessFormatException([$"Line {e.LineNumber + 1}, at {e.Path ?? "$"}: it must be JSON of the known names, each with a value of its type, and each once."], e);
        }

        IReadOnlyList<string> faults = [.. file.Faults()];
        return faults.Count == 0 ? file : throw new AccessFormatException(faults);
    }

    /// <summary>True for the older form: one <c>tenant key</c> pair a line, with keys as they are.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> utf8)
    {
        ReadOnlySpan<byte> text = utf8.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? utf8[3..] : utf8;
        return text.TrimStart(" \t\r\n"u8) is not [(byte)'{', ..];
    }

    /// <summary>Writes the file, whole or not at all, for its owner alone (mode 0600).</summary>
    /// <exception cref="AccessFormatException">It would break a rule.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string path)
    {
        IReadOnlyList<string> faults = [.. Faults()];
        if (faults.Count > 0)
            throw new AccessFormatException(faults);
        AtomicFile.Write(Path.GetFullPath(path), [.. JsonSerializer.SerializeToUtf8Bytes(this, Json), (byte)'\n'], sync: true);
    }

    /// <summary>What a tenant may take up, <c>*</c> included.</summary>
    public TenantLimits LimitsOf(string tenant)
    {
        TenantLimits every = Tenants.GetValueOrDefault(EveryTenant) ?? new();
        return Tenants.TryGetValue(tenant, out TenantLimits? own) ? own.Or(every) : every;
    }

    /// <summary>True for a name that a tenant, or a key, may have.</summary>
    public static bool IsName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
    }

    private IEnumerable<string> Faults()
    {
        const string NameRule = "it must have 1 to 64 of the characters A-Z a-z 0-9 . _ -";
        HashSet<string> ids = [], digests = [];
        for (int i = 0; i < Keys.Count; i++)
        {
            ApiKeyEntry key = Keys[i];
            string at = $"keys[{i}]";
            if (!IsName(key.Id))
                yield return $"{at}.id is '{key.Id}'; {NameRule}.";
            else if (!ids.Add(key.Id))
                yield return $"{at}.id is '{key.Id}', as another's; each must have its own.";
            if (!IsName(key.Tenant))
                yield return $"{at}.tenant is '{key.Tenant}'; {NameRule}.";
            if (key.Sha256.Length != 2 * ApiKey.DigestLength || !key.Sha256.All(char.IsAsciiHexDigit))
                yield return $"{at}.sha256 is no SHA-256 digest; it must be 64 hexadecimal characters.";
            else if (!digests.Add(key.Sha256.ToUpperInvariant()))
                yield return $"{at}.sha256 is that of another key; each must be there once.";
            foreach (string fault in new TenantLimits { RequestsPerSecond = key.RequestsPerSecond, ConcurrentTurns = key.ConcurrentTurns }.Faults(at))
                yield return fault;
        }

        foreach ((string tenant, TenantLimits limits) in Tenants)
        {
            if (tenant != EveryTenant && !IsName(tenant))
                yield return $"tenants holds '{tenant}'; {NameRule}, or be * for all others.";
            if (tenant == Administrator)
                yield return "tenants holds 'admin', which is no tenant; it must be removed.";
            foreach (string fault in limits.Faults($"tenants.{tenant}"))
                yield return fault;
        }
    }
}
