using System.Security.Cryptography;
using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Sessions.Log;

/// <summary>Tells lists of functions apart, as far as the model sees them.</summary>
internal static class ToolsFingerprint
{
    private const int Bytes = 8;

    /// <summary>16 hexadecimal digits; the same for the same functions in the same order, in every process.</summary>
    public static string Of(IReadOnlyList<ToolDefinition> tools)
    {
        string?[][] parts = [.. tools.Select(tool => new[] { tool.Name, tool.Description, tool.Parameters })];
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(parts)).AsSpan(0, Bytes));
    }
}
