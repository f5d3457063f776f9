using System.Security.Cryptography;
using System.Text;

namespace KvTiers.Silo.Configuration;

/// <summary>Who may call: each API key belongs to one tenant, or to the administrator.</summary>
/// <remarks>
/// The file has one <c>tenant key</c> pair a line; blank lines and lines that start with <c>#</c> are skipped. A tenant may have several keys.
/// The tenant name <c>admin</c> marks an admin key, which opens <c>/admin</c> and <c>/metrics</c> and no conversation.
/// Only digests of the keys are kept, and looked up, so the time of a lookup says nothing about a key.
/// </remarks>
internal sealed class ApiKeys
{
    /// <summary>The tenant of everyone while there are no keys.</summary>
    public const string OnlyTenant = "default";

    private const string Administrator = "admin";
    private const int LeastKeyLength = 16;
    private readonly Dictionary<string, string> _tenants = [];

    private ApiKeys(bool required) => Required = required;

    /// <summary>No keys: one tenant, which is its own administrator.</summary>
    public static ApiKeys None { get; } = new(required: false);

    /// <summary>True when calls must carry a key.</summary>
    public bool Required { get; }

    /// <summary>Every tenant, sorted.</summary>
    public IReadOnlyList<string> Tenants =>
        Required ? [.. _tenants.Values.Where(tenant => tenant != Administrator).Distinct().Order(StringComparer.Ordinal)] : [OnlyTenant];

    /// <summary>Reads a key file.</summary>
    /// <exception cref="StartException">The file cannot be read, holds no key, or a line breaks a rule. Keys are never shown.</exception>
    public static ApiKeys Load(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"KvTiers:ApiKeyFile = '{path}': must be a readable file ({e.Message})", e);
        }

        var keys = new ApiKeys(required: true);
        var errors = new List<string>();
        for (int i = 0; i < lines.Length; i++)
        {
            string[] parts = lines[i].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0 || parts[0].StartsWith('#')) continue;
            string? rule = parts.Length != 2 ? "be 'tenant key'"
                : !IsTenantName(parts[0]) ? "name the tenant with 1 to 64 of the characters A-Z a-z 0-9 . _ -"
                : parts[1].Length < LeastKeyLength ? $"have a key of at least {LeastKeyLength} characters"
                : keys._tenants.TryAdd(Digest(parts[1]), parts[0]) ? null
                : "have a key of its own: another line has the same";
            if (rule is not null) errors.Add($"KvTiers:ApiKeyFile = '{path}': line {i + 1} must {rule}.");
        }

        if (keys._tenants.Count == 0 && errors.Count == 0) errors.Add($"KvTiers:ApiKeyFile = '{path}': must hold at least one 'tenant key' line.");
        return errors.Count == 0 ? keys : throw new StartException(errors);
    }

    /// <summary>The tenant that the key belongs to, or null when the key is unknown or an admin key.</summary>
    public string? TenantOf(string? key)
    {
        if (!Required) return OnlyTenant;
        return key is not null && _tenants.TryGetValue(Digest(key), out string? tenant) && tenant != Administrator ? tenant : null;
    }

    /// <summary>True when the key is an admin key, or no keys exist.</summary>
    public bool IsAdministrator(string? key) =>
        !Required || (key is not null && _tenants.TryGetValue(Digest(key), out string? tenant) && tenant == Administrator);

    private static bool IsTenantName(string name) =>
        name.Length <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static string Digest(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
