using KvTiers.Conversations;

namespace KvTiers.Orleans.Hosting;

/// <summary>The key of a conversation's grain: <c>tenant/id</c>.</summary>
internal static class GrainKey
{
    /// <summary>The conversation that a grain's key names.</summary>
    public static ConversationKey Read(string grainKey)
    {
        int slash = grainKey.IndexOf('/', StringComparison.Ordinal);
        return new ConversationKey(grainKey[..slash], grainKey[(slash + 1)..]);
    }
}
