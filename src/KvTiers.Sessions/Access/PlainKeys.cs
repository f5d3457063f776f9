using System.Text;

namespace KvTiers.Sessions.Access;

/// <summary>The older form of a key file: one <c>tenant key</c> pair a line; blank lines and lines that start with <c>#</c> are skipped.</summary>
internal static class PlainKeys
{
    private const int LeastKeyLength = 16;

    /// <summary>Its keys, as digests. Each is named for its line.</summary>
    /// <exception cref="AccessFormatException">A line breaks a rule, or there is none.</exception>
    public static AccessFile Parse(ReadOnlySpan<byte> utf8)
    {
        string[] lines = Encoding.UTF8.GetString(utf8).TrimStart('\uFEFF').Split('\n');
        List<ApiKeyEntry> keys = [];
        List<string> faults = [];
        HashSet<string> digests = [];
        for (int i = 0; i < lines.Length; i++)
        {
            string[] parts = lines[i].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0 || parts[0].StartsWith('#'))
                continue;
            string? rule = parts.Length != 2 ? "be 'tenant key'"
                : !AccessFile.IsName(parts[0]) ? "name the tenant with 1 to 64 of the characters A-Z a-z 0-9 . _ -"
                : parts[1].Length < LeastKeyLength ? $"have a key of at least {LeastKeyLength} characters"
                : digests.Add(Convert.ToHexStringLower(ApiKey.Digest(parts[1]))) ? null
                : "have a key of its own: another line has the same";
            if (rule is not null)
                faults.Add($"line {i + 1} must {rule}.");
            else
                keys.Add(new() { Id = $"line-{i + 1}", Tenant = parts[0], Sha256 = Convert.ToHexStringLower(ApiKey.Digest(parts[1])) });
        }

        if (keys.Count == 0 && faults.Count == 0)
            faults.Add("must hold at least one key.");
        return faults.Count == 0 ? new() { Keys = keys } : throw new AccessFormatException(faults);
    }
}
