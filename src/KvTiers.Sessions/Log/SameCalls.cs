using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Sessions.Log;

/// <summary>Compares calls by what they ask for.</summary>
/// <remarks>Clients read arguments and write them again, with other white space and other escapes. The ids do not count: what the model wrote has none.</remarks>
internal static class SameCalls
{
    /// <summary>Whether both are the same functions with equal arguments in the same order.</summary>
    public static bool Are(IReadOnlyList<ToolCall> one, IReadOnlyList<ToolCall> other)
    {
        if (one.Count != other.Count)
            return false;
        for (int i = 0; i < one.Count; i++)
        {
            if (one[i].Name != other[i].Name || !AreEqual(one[i].Arguments, other[i].Arguments))
                return false;
        }

        return true;
    }

    private static bool AreEqual(string one, string other)
    {
        if (one == other)
            return true;
        try
        {
            using JsonDocument a = JsonDocument.Parse(one), b = JsonDocument.Parse(other);
            return JsonElement.DeepEquals(a.RootElement, b.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
