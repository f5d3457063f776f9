using System.Collections.Concurrent;
using System.Threading.Channels;

namespace KvTiers.Tiers;

/// <summary>
/// Keeps every tenant's blocks within a number of bytes, over all tiers together. What a tenant has beyond it goes in the background,
/// its own least useful blocks first: superseded and expired hot ones, then those of the coldest tier up to the hottest, in each tier's order; of several namespaces, those
/// of the one that was used longest ago.
/// </summary>
/// <remarks>
/// A tenant is looked at when it has gained a block. Hot blocks in use stay, also beyond the budget; they go when they are released and
/// the tenant gains another. Blocks that wait to be written count once they are written. In a shared tier a tenant's blocks count whoever wrote them.
/// </remarks>
internal sealed class TenantBudget : IAsyncDisposable
{
    private readonly TieredCacheOptions _options;
    private readonly TenantNames _names = new();
    private readonly KvCache _cache;
    private readonly TierLane[] _lanes;
    private readonly Channel<int> _gained = Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<int, bool> _due = [];
    private readonly Task _work;
    private TaskCompletionSource _settled = Ended();
    private long _evictedBytes;
    private int _open;

    public TenantBudget(TieredCacheOptions options, KvCache cache, TierLane[] lanes)
    {
        _options = options;
        _cache = cache;
        _lanes = lanes;
        _work = Task.Run(KeepAsync);
    }

    /// <summary>Bytes evicted so far because of budgets.</summary>
    public long EvictedBytes => Interlocked.Read(ref _evictedBytes);

    /// <summary>Says which tenant a number is of.</summary>
    public void Assign(int number, string tenant) => _names.Assign(number, tenant);

    /// <summary>The tenant has gained a block. Never waits.</summary>
    public void Wake(int tenant)
    {
        if (!_due.TryAdd(tenant, true))
            return;

        lock (_gained)
        {
            if (_open++ == 0)
                _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (!_gained.Writer.TryWrite(tenant))
            Close();
    }

    /// <summary>Returns when every tenant that has gained blocks so far is within its budget, but for what is in use.</summary>
    public Task SettleAsync(CancellationToken cancellationToken)
    {
        lock (_gained)
            return _settled.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Ends after the tenant that is being looked at.</summary>
    public async ValueTask DisposeAsync()
    {
        _gained.Writer.TryComplete();
        await _work.ConfigureAwait(false);
    }

    private async Task KeepAsync()
    {
        await foreach (int tenant in _gained.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            _due.TryRemove(tenant, out _);
            try
            {
                await TrimAsync(tenant).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // The tenant is looked at again when it gains another block.
            }

            Close();
        }
    }

    private async Task TrimAsync(int tenant)
    {
        string? name = _names.Of(tenant);
        if (((name is null ? null : _options.TenantBudgetOf?.Invoke(name)) ?? _options.TenantBudgetBytes) is not { } budgetBytes)
            return;
        IReadOnlyList<int> numbers = name is null ? [tenant] : _names.NumbersOf(name);
        long over = -budgetBytes;
        foreach (int number in numbers)
        {
            over += HotBytes(_cache.BlocksOf(number));
            foreach (TierLane lane in _lanes)
                over += await lane.BytesOfAsync(number).ConfigureAwait(false);
        }

        foreach (int number in numbers)
            over -= EvictHot(number, over, deadOnly: true);
        for (int i = _lanes.Length - 1; i >= 0; i--)
        {
            foreach (int number in numbers)
            {
                if (over <= 0)
                    return;
                long freed = await _lanes[i].EvictAsync(number, over).ConfigureAwait(false);
                Interlocked.Add(ref _evictedBytes, freed);
                over -= freed;
            }
        }

        foreach (int number in numbers)
            over -= EvictHot(number, over, deadOnly: false);
    }

    private long EvictHot(int tenant, long byteCount, bool deadOnly)
    {
        if (byteCount <= 0)
            return 0;

        long blocks = (byteCount + _cache.Shape.BytesPerBlock - 1) / _cache.Shape.BytesPerBlock;
        long freed = HotBytes(_cache.EvictTenant(tenant, (int)Math.Min(int.MaxValue, blocks), deadOnly));
        Interlocked.Add(ref _evictedBytes, freed);
        return freed;
    }

    private long HotBytes(int blocks) => (long)blocks * _cache.Shape.BytesPerBlock;

    private void Close()
    {
        lock (_gained)
        {
            if (--_open == 0)
                _settled.SetResult();
        }
    }

    private static TaskCompletionSource Ended()
    {
        var ended = new TaskCompletionSource();
        ended.SetResult();
        return ended;
    }
}
