namespace KvTiers.Silo.Responses;

/// <summary>The format of an answer.</summary>
/// <param name="Format">The format: <c>{"type": "text"}</c>.</param>
internal sealed record TextSettings(object Format)
{
    /// <summary>Text of any form.</summary>
    public static TextSettings Plain { get; } = new(new Dictionary<string, string> { ["type"] = "text" });
}
