using KvTiers.Sessions.Secrets;

namespace KvTiers.Silo.Configuration;

/// <summary>One wrong setting: what it is called, what it holds, what it must hold. Shown, it holds no password.</summary>
internal sealed record SettingError(string Name, string Value, string Rule)
{
    // A name is all there is to tell by, of a setting that is misspelt too.
    private static readonly string[] Secret = ["secret", "password", "token", "apikey", "api_key", "recordkey"];

    /// <summary>What it holds, as it may be shown.</summary>
    public string ShownValue =>
        Name.EndsWith("File", StringComparison.OrdinalIgnoreCase) || Name.EndsWith("Tokens", StringComparison.OrdinalIgnoreCase) ? Value
        : Secret.Any(word => Name.Contains(word, StringComparison.OrdinalIgnoreCase)) ? Redacted.Mark
        : Name.Contains("Redis", StringComparison.OrdinalIgnoreCase) || Name.EndsWith(":Cluster", StringComparison.OrdinalIgnoreCase) ? Redacted.ConnectionString(Value)
        : Value;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} = '{ShownValue}': must be {Rule}.";
}
