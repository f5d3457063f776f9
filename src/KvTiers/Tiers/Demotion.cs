using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Sends evicted blocks down: to the first lane that is written on demotion, and what that lane evicts to the next one.</summary>
/// <remarks>
/// Superseded and expired blocks go nowhere. Lanes that are written on seal or on second use get their copy then. Whoever needs room is held up within
/// one budget, over all blocks and lanes; nothing of a lane's ever throws.
/// </remarks>
internal sealed class Demotion : IBlockRecipient, IAsyncDisposable
{
    private readonly TierLane[] _lanes;
    private readonly Action<int> _gained;
    private BackgroundDemoter? _ahead;

    /// <summary>Binds the lanes to one another.</summary>
    /// <param name="lanes">Hottest first.</param>
    /// <param name="gained">Is told of each tenant that gains a block.</param>
    public Demotion(TierLane[] lanes, Action<int> gained)
    {
        _lanes = lanes;
        _gained = gained;
        SeesReuse = lanes.Any(lane => lane.Options.WritePolicy == WritePolicy.OnSecondUse);
        for (int i = 0; i < lanes.Length; i++)
        {
            int below = i + 1;
            if (lanes.Skip(below).Any(lane => lane.Options.WritePolicy == WritePolicy.OnDemote))
                lanes[i].HandOnTo((BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> block, StallBudget budget) => Demote(hash, block, attributes, below, budget));
        }
    }

    public bool SeesReuse { get; }

    /// <summary>Demotes ahead of need from now on.</summary>
    public void StartAhead(KvCache cache, Watermarks marks) => _ahead = new BackgroundDemoter(cache, marks, RoomAsync);

    /// <summary>Ends when blocks can go down without anybody waiting, and gives how many; 0 when they would go nowhere.</summary>
    public async ValueTask<int> RoomAsync(CancellationToken cancellationToken)
    {
        int room = int.MaxValue;
        foreach ((int i, TierLane lane) in _lanes.Where(lane => lane.Options.WritePolicy == WritePolicy.OnDemote).Index())
        {
            int free = await lane.RoomAsync(cancellationToken).ConfigureAwait(false);

            // A lower lane that takes nothing now loses what the upper one evicts, sooner or later.
            room = free > 0 || i == 0 ? Math.Min(room, free) : room;
        }

        return room;
    }

    public void OnTaken(int freeBlocks, int capacityBlocks) => _ahead?.Wake(freeBlocks, capacityBlocks);

    public void OnSealed(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes)
    {
        _gained(attributes.Tenant);
        OfferToAll(WritePolicy.OnSeal, hash, bytes, attributes);
    }

    public bool OnReused(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes) => OfferToAll(WritePolicy.OnSecondUse, hash, bytes, attributes);

    public void OnEvicting(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes, EvictionCause cause, StallBudget budget)
    {
        if (cause == EvictionCause.LeastRecentlyUsed)
            Demote(hash, bytes, attributes, 0, budget);
    }

    /// <summary>Ends demotion ahead of need.</summary>
    public ValueTask DisposeAsync() => _ahead?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Demote(BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes, int firstLane, StallBudget budget)
    {
        for (int i = firstLane; i < _lanes.Length; i++)
        {
            if (_lanes[i].Options.WritePolicy != WritePolicy.OnDemote)
                continue;
            _lanes[i].Offer(hash, block, attributes, budget);
            return;
        }
    }

    private bool OfferToAll(WritePolicy policy, BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes)
    {
        bool taken = true;
        foreach (TierLane lane in _lanes)
        {
            if (lane.Options.WritePolicy == policy)
                taken &= lane.Offer(hash, block, attributes, StallBudget.None);
        }

        return taken;
    }
}
