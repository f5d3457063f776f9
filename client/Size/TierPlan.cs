namespace KvTiers.Cli.Size;

/// <summary>Tier capacities for a number of conversations of one length.</summary>
/// <remarks>
/// Hot holds the conversations that are computing or about to, RAM three times as many, disk everybody. One quarter more hot blocks than
/// that: watermarks keep some free, and superseded blocks wait there for an undo. Redis holds everybody once for all silos; it counts a
/// quarter above the payload for values of its usual sizes, which <see cref="RedisMaxMemoryBytes"/> includes.
/// </remarks>
internal sealed record TierPlan(long Conversations, decimal ConversationBytes, decimal ActiveShare)
{
    private const decimal Headroom = 1.25m;

    public long ActiveConversations => Math.Max(1, (long)Math.Ceiling(Conversations * ActiveShare));

    public long RecentConversations => Math.Min(3 * ActiveConversations, Conversations);

    public decimal TotalBytes => Conversations * ConversationBytes;

    public decimal HotBytes => ActiveConversations * ConversationBytes * Headroom;

    public decimal RamBytes => RecentConversations * ConversationBytes;

    public decimal DiskBytes => TotalBytes;

    public decimal RedisMaxMemoryBytes => TotalBytes * Headroom;
}
