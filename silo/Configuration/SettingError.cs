namespace KvTiers.Silo.Configuration;

/// <summary>One wrong setting: what it is called, what it holds, what it must hold.</summary>
internal sealed record SettingError(string Name, string Value, string Rule)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} = '{Value}': must be {Rule}.";
}
