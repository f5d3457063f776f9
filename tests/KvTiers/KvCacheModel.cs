using KvTiers.Prefix;

namespace KvTiers.Tests;

/// <summary>A cache, and what it must hold according to a dictionary from block hash to the tokens up to the block's end.</summary>
/// <remarks>
/// A published partial block that a longer one now begins with may or may not be dropped already (that hangs on who holds it): it
/// counts for the upper bound of a lookup only. Everything else is exact.
/// </remarks>
internal sealed class KvCacheModel : IBlockRecipient, IDisposable
{
    private const int MaxTokens = 36;
    private const int MaxLeases = 5;
    private static readonly int BlockSize = FakeSequence.Layout.BlockSize;

    private readonly Random _random;
    private readonly ManualTime _time = new();
    private readonly BlockHash[] _roots =
    [
        FakeSequence.Root,
        BlockHash.Root("model"u8, FakeSequence.Layout, "another tenant"u8),
    ];

    private readonly Dictionary<BlockHash, Entry> _entries = [];
    private readonly List<BlockLease> _leases = [];
    private readonly List<Pin> _pins = [];
    private readonly List<(BlockHash Root, int[] Tokens)> _history = [];
    private int _capacity = 48;

    public KvCacheModel(Random random)
    {
        _random = random;
        Cache = FakeSequence.CreateCache(_capacity, _time, this);
    }

    public KvCache Cache { get; }

    public ModelCoverage Coverage { get; } = new();

    public void Step()
    {
        int nodes = Cache.Snapshot().Nodes;
        bool mayAdd = false;
        switch (_random.Next(100))
        {
            case < 20: Acquire(); break;
            case < 42: mayAdd = true; Compute(); break;
            case < 48: Truncate(); break;
            case < 56: mayAdd = true; Publish(); break;
            case < 61: Fork(); break;
            case < 79: Release(); break;
            case < 84: Supersede(); break;
            case < 86: Erase(); break;
            case < 89: Extend(); break;
            case < 91: PinOrUnpin(); break;
            case < 93: Rank(); break;
            case < 94: Resize(); break;
            case < 96: _time.Advance(TimeSpan.FromSeconds(_random.Next(20))); break;
            default: Peek(); break;
        }

        Assert.Equal(0, Cache.Snapshot().Totals.RecipientFaults); // what this recipient asserts
        ForgetDropped();
        if (!mayAdd && Cache.Snapshot().Nodes > nodes) Coverage.Splits++;
    }

    public void OnSealed(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes)
    {
        // The model adds its own entry once the operation is over; all that matters here is that the bytes are there.
        Assert.Equal(FakeSequence.Layout.BytesPerBlock, bytes.Length);
    }

    public void OnEvicting(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes, EvictionCause cause, StallBudget budget)
    {
        Assert.True(_entries.Remove(hash, out Entry? gone), "A block that should not be there was evicted.");
        Assert.Equal((gone.Tokens.Length - 1) % BlockSize + 1, attributes.TokenCount);
        Assert.DoesNotContain(_entries.Values, entry => entry.Root == gone.Root && entry.IsFull && IsPrefix(gone.Tokens, entry.Tokens));
        if (!gone.IsFull) return;
        foreach (BlockLease lease in _leases) Assert.False(lease.Root == gone.Root && IsPrefix(gone.Tokens, lease.Tokens), "A leased block was evicted.");
        foreach (Pin pin in _pins) Assert.False(pin.IsActive && Holds(pin, gone), "A pinned block was evicted.");
    }

    public void Dispose() => Cache.Dispose();

    private void Acquire()
    {
        if (_leases.Count >= MaxLeases) return;
        (BlockHash root, int[] tokens) = AnyPath();
        BlockLease lease = Cache.Acquire(root, tokens);
        AssertFound(root, tokens, lease.TokenCount);
        Assert.Equal(lease.TokenCount, lease.CachedTokenCount);
        Assert.Equal(tokens[..lease.TokenCount], lease.Tokens.ToArray());
        Assert.True(FakeSequence.HasRightBytes(Cache, lease));
        if (lease.TokenCount % BlockSize != 0) Coverage.PartialHits++;
        _leases.Add(lease);
        Remember(root, tokens);
    }

    private void Compute()
    {
        if (AnyLease() is not { } lease) return;
        int[] tokens = Tokens(_random.Next(1, 10));
        if (lease.TokenCount + tokens.Length > MaxTokens) return;
        if (_random.Next(2) == 0 && _history.Count > 0)
        {
            // What another sequence has computed too, so that blocks turn out to be duplicates.
            (BlockHash root, int[] path) = _history[_random.Next(_history.Count)];
            if (root == lease.Root && path.Length > lease.TokenCount && path.AsSpan().StartsWith(lease.Tokens)) tokens = path[lease.TokenCount..];
        }

        int room = _random.Next(3) == 0 ? _random.Next(6) : 0;
        if (!Cache.TryReserve(lease, tokens.Length + room)) return;
        FakeSequence.Write(Cache, lease, tokens);
        Cache.Append(lease, tokens);
        for (int end = BlockSize; end <= lease.TokenCount; end += BlockSize) Add(lease.Root, lease.Tokens[..end]);
        Assert.True(FakeSequence.HasRightBytes(Cache, lease));
    }

    private void Truncate()
    {
        if (AnyLease() is not { } lease) return;
        int shared = lease.SharedBlockCount;
        int tokenCount = _random.Next(lease.TokenCount + 1);
        Cache.Truncate(lease, tokenCount);
        Assert.Equal(tokenCount, lease.TokenCount);
        Assert.Equal(FakeSequence.Layout.BlocksFor(tokenCount), lease.Table.Count);
        Assert.True(FakeSequence.HasRightBytes(Cache, lease));
        if (tokenCount % BlockSize != 0 && tokenCount < shared * BlockSize) Coverage.TruncationsIntoSharedBlocks++;
    }

    private void Publish()
    {
        if (AnyLease() is not { } lease) return;
        Cache.Publish(lease);
        if (lease.TokenCount % BlockSize != 0) Add(lease.Root, lease.Tokens);
        Assert.Equal(lease.TokenCount, Cache.Peek(lease.Root, lease.Tokens).HotTokenCount);
    }

    private void Fork()
    {
        if (_leases.Count >= MaxLeases || AnyLease() is not { } lease || Cache.TryFork(lease) is not { } fork) return;
        Assert.Equal(lease.Tokens.ToArray(), fork.Tokens.ToArray());
        Assert.True(FakeSequence.HasRightBytes(Cache, fork));
        _leases.Add(fork);
    }

    private void Release()
    {
        if (AnyLease() is not { } lease) return;
        Remember(lease.Root, lease.Tokens);
        _leases.Remove(lease);
        lease.Dispose();
    }

    private void Supersede()
    {
        (BlockHash root, int[] tokens) = AnyPath();
        int kept = _random.Next(tokens.Length + 1);
        int before = Cache.Peek(root, tokens).HotTokenCount;
        SupersedeResult result = Cache.Supersede(root, tokens, kept);
        int keptBlocks = kept / BlockSize;
        Assert.InRange(result.SupersededBlocks + result.SharedBlocks, Math.Max(0, before / BlockSize - keptBlocks), FakeSequence.Layout.BlocksFor(before));
        Assert.Equal(before, Cache.Peek(root, tokens).HotTokenCount);
    }

    private void Erase()
    {
        (BlockHash root, int[] tokens) = AnyPath();
        int before = Cache.Snapshot().FreeBlocks;
        EraseResult result = Cache.Erase(root, tokens);
        Assert.Equal(result.ErasedBlocks, Cache.Snapshot().FreeBlocks - before);
        Assert.Equal(result.ErasedBlocks * (long)FakeSequence.Layout.BytesPerBlock, result.ErasedBytes);

        // Deepest first; a partial end that lies on the path is a block of it, unless the path goes on in a longer one.
        int left = Cache.Peek(root, tokens).BlockCount * BlockSize;
        foreach ((BlockHash hash, Entry entry) in _entries)
        {
            if (entry.Root == root && !entry.MayBeDropped && entry.Tokens.Length > left && IsPrefix(entry.Tokens, tokens) && result.ErasedBlocks > 0)
                _entries.Remove(hash);
        }
    }

    private void Extend()
    {
        if (AnyLease() is not { } lease) return;
        int[] tokens = [.. lease.Tokens, .. Tokens(_random.Next(12))];
        foreach (Entry entry in _entries.Values)
        {
            if (entry.Root == lease.Root && IsPrefix(lease.Tokens, entry.Tokens))
                tokens = entry.Tokens;
        }

        int before = lease.TokenCount;
        int gained = Cache.Rematch(lease, tokens);
        Assert.Equal(before + gained, lease.TokenCount);
        Assert.True(FakeSequence.HasRightBytes(Cache, lease));
        if (gained > 0) Coverage.Extensions++;
        if (before % BlockSize == 0) AssertFound(lease.Root, tokens, lease.TokenCount);
    }

    private void PinOrUnpin()
    {
        if (_pins.Count > 0 && _random.Next(4) == 0)
        {
            DateTimeOffset? until = _random.Next(3) == 0 ? null : _time.GetUtcNow() + TimeSpan.FromSeconds(1 + _random.Next(60));
            Pin renewed = _pins[_random.Next(_pins.Count)];
            Assert.Equal(renewed.IsActive && !(renewed.Until <= _time.GetUtcNow()), renewed.TryRenew(until));
            return;
        }

        if (_pins.Count >= 3 || (_pins.Count > 0 && _random.Next(2) == 0))
        {
            int index = _random.Next(_pins.Count);
            _pins[index].Dispose();
            Assert.False(_pins[index].IsActive);
            _pins.RemoveAt(index);
            return;
        }

        (BlockHash root, int[] tokens) = AnyPath();
        _pins.Add(Cache.Pin(root, tokens, _random.Next(3) == 0 ? null : _time.GetUtcNow() + TimeSpan.FromSeconds(_random.Next(60))));
    }

    private void Rank()
    {
        (BlockHash root, int[] tokens) = AnyPath();
        int blocks = _random.Next(2) == 0
            ? Cache.SetPriority(root, tokens, _random.Next(-1, 2))
            : Cache.SetTimeToLive(root, tokens, _random.Next(3) == 0 ? null : TimeSpan.FromSeconds(10 * _random.Next(4)));
        Assert.InRange(blocks, Cache.Peek(root, tokens).BlockCount, Cache.Peek(root, tokens).BlockCount + 1);
    }

    private void Resize()
    {
        int wanted = _random.Next(16, 72);
        int reached = Cache.Resize(wanted);
        if (reached < _capacity) Coverage.Shrinks++;
        Assert.Equal(Math.Max(wanted, Math.Min(_capacity, Cache.Snapshot().PrivateBlocks + Cache.Snapshot().HeldBlocks)), reached);
        Assert.Equal(reached, Cache.Pool.Capacity);
        _capacity = reached;
    }

    private void Peek()
    {
        (BlockHash root, int[] tokens) = AnyPath();
        CacheSnapshot before = Cache.Snapshot();
        PrefixMatch match = Cache.Peek(root, tokens);
        AssertFound(root, tokens, match.HotTokenCount);
        BlockHash hash = root;
        for (int block = 0; block < match.BlockCount; block++) hash = hash.Next(tokens.AsSpan(block * BlockSize, BlockSize));
        Assert.Equal(hash, match.LastBlock);
        Assert.Equal(before, Cache.Snapshot());
    }

    private void AssertFound(BlockHash root, ReadOnlySpan<int> tokens, int found)
    {
        int least = 0;
        int most = 0;
        foreach (Entry entry in _entries.Values)
        {
            if (entry.Root != root) continue;
            int common = tokens.CommonPrefixLength(entry.Tokens);
            most = Math.Max(most, common);
            if (!entry.MayBeDropped) least = Math.Max(least, common);
        }

        Assert.InRange(found, least, most);
        if (least == most) Coverage.ExactLookups++;
        else Coverage.VagueLookups++;
    }

    // A partial block with a longer sibling is gone for sure once nothing is left that could hold it.
    private void ForgetDropped()
    {
        foreach ((BlockHash hash, Entry entry) in _entries)
        {
            if (!entry.MayBeDropped || !_entries.Values.Any(longer => longer.IsFull && entry.IsPrefixOf(longer.Root, longer.Tokens))) continue;
            if (_leases.Any(lease => MayHold(lease, entry)) || _pins.Any(pin => Holds(pin, entry))) continue;
            _entries.Remove(hash);
        }
    }

    private void Add(BlockHash root, ReadOnlySpan<int> tokens)
    {
        BlockHash hash = root;
        for (int start = 0; start < tokens.Length; start += BlockSize) hash = hash.Next(tokens.Slice(start, Math.Min(BlockSize, tokens.Length - start)));
        Entry added = new(root, tokens.ToArray());
        foreach (Entry entry in _entries.Values)
        {
            if (entry.Root != root) continue;
            if (!entry.IsFull && IsPrefix(entry.Tokens, added.Tokens) && entry.Tokens.Length < added.Tokens.Length) entry.MayBeDropped = true;

            // Nothing is published where a longer block holds the same tokens.
            if (added.IsFull || !IsPrefix(added.Tokens, entry.Tokens) || entry.Tokens.Length == added.Tokens.Length) continue;
            if (!entry.MayBeDropped) return;
            added.MayBeDropped = true;
        }

        _entries[hash] = added;
    }

    private BlockLease? AnyLease() => _leases.Count == 0 ? null : _leases[_random.Next(_leases.Count)];

    private (BlockHash Root, int[] Tokens) AnyPath()
    {
        BlockHash root = _roots[_random.Next(10) == 0 ? 1 : 0];
        if (_history.Count == 0 || _random.Next(4) == 0) return (root, Tokens(_random.Next(MaxTokens)));
        (root, int[] tokens) = _history[_random.Next(_history.Count)];
        int cut = _random.Next(3) == 0 ? tokens.Length : _random.Next(tokens.Length + 1);
        int[] path = [.. tokens.AsSpan(0, cut), .. Tokens(_random.Next(8))];
        return (root, path.Length > MaxTokens ? path[..MaxTokens] : path);
    }

    private void Remember(BlockHash root, ReadOnlySpan<int> tokens)
    {
        _history.Add((root, tokens.ToArray()));
        if (_history.Count > 24) _history.RemoveAt(_random.Next(12));
    }

    private int[] Tokens(int count)
    {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) tokens[i] = Math.Max(0, _random.Next(-3, 3));
        return tokens;
    }

    // A lease's last block may be an entry of which it uses only some tokens.
    private static bool MayHold(BlockLease lease, Entry entry)
    {
        int common = lease.Tokens.CommonPrefixLength(entry.Tokens);
        return lease.Root == entry.Root && common > (entry.Tokens.Length - 1) / BlockSize * BlockSize && common == Math.Min(lease.TokenCount, entry.Tokens.Length);
    }

    private static bool Holds(Pin pin, Entry entry)
    {
        for (RadixNode? node = pin.Node; node is not null; node = node.Parent)
        {
            if (node is RadixRoot root && root.Hash == entry.Root)
                return IsPrefix(entry.Tokens, PathTokens(pin.Node));
        }
        return false;
    }

    private static int[] PathTokens(RadixNode node)
    {
        List<int> tokens = [];
        for (RadixNode? at = node; at is not null; at = at.Parent) tokens.InsertRange(0, at.Run.Tokens.ToArray());
        return [.. tokens];
    }

    private static bool IsPrefix(ReadOnlySpan<int> shorter, ReadOnlySpan<int> longer) => longer.StartsWith(shorter);

    private sealed record Entry(BlockHash Root, int[] Tokens)
    {
        public bool MayBeDropped { get; set; }

        public bool IsFull => Tokens.Length % BlockSize == 0;

        public bool IsPrefixOf(BlockHash root, ReadOnlySpan<int> tokens) => Root == root && IsPrefix(Tokens, tokens);
    }
}
