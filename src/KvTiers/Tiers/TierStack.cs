using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>
/// The colder tiers under one hot tier: takes what the cache evicts or seals, brings back what a prompt needs, and
/// forgets what edits and deletions cut off.
/// </summary>
/// <remarks>
/// <para>Down: an evicted block goes to the first tier that is written on demotion, and what that tier evicts to the next.
/// Superseded and expired blocks are not handed on. Tiers that are written on seal or on second use get their copy then.
/// Slow tiers are written in the background from a bounded queue of copies, and a queued block can be read.</para>
/// <para>Up: <see cref="PromoteAsync"/> fills a lease with the blocks that follow what is hot. A block being loaded is the
/// lease's own and invisible until it is complete; requests for the same blocks wait for the one that loads them.</para>
/// <para>Thread-safe. A tier that fails costs recomputation, never an answer.</para>
/// </remarks>
public sealed partial class TierStack : IBlockObserver, IAsyncDisposable
{
    private readonly TierStackOptions _options;
    private readonly TierOptions[] _tiers;
    private readonly bool _seesReuse;
    private readonly int[] _losses;
    private readonly TierWriter?[] _writers;
    private readonly TransferRate[] _rates;
    private readonly TimeProvider _time;
    private KvCache? _cache;
    private BackgroundDemoter? _demoter;
    private TenantBudget? _budget;

    /// <summary>Stacks tiers. <see cref="Attach"/> the cache before anything else.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public TierStack(TierStackOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _time = time ?? TimeProvider.System;
        _tiers = [.. options.Tiers];
        _seesReuse = _tiers.Any(tier => tier.WritePolicy == WritePolicy.OnSecondUse);
        _losses = [.. _tiers.Select(tier => tier.Tier.Loss).Where(loss => loss != 0).Distinct().Order()];
        _writers = new TierWriter?[_tiers.Length];
        _measuredAt = new long[_tiers.Length];
        _rates = [.. _tiers.Select(tier => new TransferRate(tier.Immediate ? 1e-5 : 1e-3, tier.Immediate ? 4e9 : 5e8))];
        _promotedTokens = new long[_tiers.Length];
        _instruments = new TierInstruments(this);
    }

    /// <summary>Chooses between loading and recomputing; the engine tells it how fast it computes.</summary>
    public PromotionPlanner Planner { get; } = new();

    /// <summary>The tiers' names, hottest first.</summary>
    public IReadOnlyList<string> Names => [.. _tiers.Select(tier => tier.Tier.Name)];

    /// <summary>What a block may have lost in any tier of the stack, ascending: part of the root of every namespace, <see cref="BlockHash.Root"/>. Empty when all are lossless.</summary>
    public ReadOnlySpan<int> Losses => _losses;

    private KvCache Cache => _cache ?? throw new InvalidOperationException("The stack is attached to no cache.");

    /// <summary>Binds the stack to the cache that it observes. Once.</summary>
    public void Attach(KvCache cache)
    {
        ArgumentNullException.ThrowIfNull(cache);
        if (_cache is not null)
        {
            throw new InvalidOperationException("The stack is attached to a cache already.");
        }

        _cache = cache;
        for (int i = 0; i < _tiers.Length; i++)
        {
            int tier = i;
            if (_tiers[i].Immediate)
            {
                if (_tiers[i].Tier is BlockTier { Store: RamStore store } ram)
                {
                    store.Evicting = (hash, attributes, record) => HandOn(ram, store, hash, attributes, record, tier);
                }
            }
            else
            {
                _writers[i] = new TierWriter(_tiers[i], cache.Layout.BytesPerBlock, _time, Gained);
            }
        }

        _budget = _options.TenantBudgetBytes is { } bytes ? new TenantBudget(bytes, cache, _tiers) : null;
        _demoter = _options.Watermarks is { } marks ? new BackgroundDemoter(cache, marks) : null;
    }

    /// <inheritdoc/>
    void IBlockObserver.OnTaken(int freeBlocks, int capacityBlocks) => _demoter?.Wake(freeBlocks, capacityBlocks);

    /// <summary>One tier's speed, as measured.</summary>
    public TransferRate RateOf(string tier) => _rates[IndexOf(tier)];

    /// <inheritdoc/>
    void IBlockObserver.OnSealed(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes)
    {
        Gained(attributes.Tenant);
        for (int i = 0; i < _tiers.Length; i++)
        {
            if (_tiers[i].WritePolicy == WritePolicy.OnSeal)
            {
                Write(i, hash, bytes, attributes, mayWait: false);
            }
        }
    }

    /// <inheritdoc/>
    void IBlockObserver.OnEvicting(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes, EvictionCause cause)
    {
        if (cause == EvictionCause.LeastRecentlyUsed)
        {
            Demote(hash, bytes, attributes, fromTier: -1);
        }
    }

    /// <summary>Returns when every block handed over so far is written or given up, and every tenant within its budget.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        foreach (TierWriter? writer in _writers)
        {
            if (writer is not null)
            {
                await writer.DrainAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        if (_budget is not null)
        {
            await _budget.SettleAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Hands everything down that the tiers in memory and the hot tier would lose at the end of the process.</summary>
    /// <remarks>Blocks that are leased or pinned stay behind, and so does what the last tier has no room for.</remarks>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && Cache.EvictAhead(int.MaxValue, atMost: 64) > 0)
        {
        }

        foreach (TierOptions tier in _tiers)
        {
            if (tier is { Immediate: true, Tier: BlockTier { Store: RamStore store } })
            {
                store.EvictAll();
            }
        }

        await DrainAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes what waits to be written, then closes the tiers.</summary>
    public async ValueTask DisposeAsync()
    {
        _instruments.Dispose();
        if (_demoter is not null)
        {
            await _demoter.DisposeAsync().ConfigureAwait(false);
        }

        foreach (TierWriter? writer in _writers)
        {
            if (writer is not null)
            {
                await writer.DisposeAsync().ConfigureAwait(false);
            }
        }

        if (_budget is not null)
        {
            await _budget.DisposeAsync().ConfigureAwait(false);
        }

        foreach (TierOptions tier in _tiers)
        {
            await tier.Tier.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Copies a block to the next tier below that is written on demotion.</summary>
    private void Demote(BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes, int fromTier)
    {
        for (int i = fromTier + 1; i < _tiers.Length; i++)
        {
            if (_tiers[i].WritePolicy == WritePolicy.OnDemote)
            {
                Write(i, hash, block, attributes, mayWait: true);
                return;
            }
        }
    }

    /// <returns>False when there is no room to take it now.</returns>
    private bool Write(int tier, BlockHash hash, ReadOnlySpan<byte> block, BlockAttributes attributes, bool mayWait)
    {
        if (_tiers[tier].TimeToLive is { } timeToLive)
        {
            DateTimeOffset expires = _time.GetUtcNow() + timeToLive;
            attributes = attributes with { Expires = attributes.Expires < expires ? attributes.Expires : expires };
        }

        if (_writers[tier] is { } writer)
        {
            return writer.Offer(hash, block, attributes, mayWait);
        }

        using var memory = NativeMemoryManager.Over(block);
        ValueTask<bool> write = _tiers[tier].Tier.TryWriteAsync(hash, memory.Memory, attributes, CancellationToken.None);
        Gained(attributes.Tenant);
        return write.IsCompleted ? write.Result : throw new InvalidOperationException($"Tier '{_tiers[tier].Tier.Name}' is said to be immediate, and is not.");
    }

    private void Gained(int tenant) => _budget?.Wake(tenant);

    private int IndexOf(string name)
    {
        int index = Array.FindIndex(_tiers, tier => tier.Tier.Name == name);
        return index >= 0 ? index : throw new ArgumentException($"There is no tier '{name}'; there are {string.Join(", ", Names)}.", nameof(name));
    }
}
