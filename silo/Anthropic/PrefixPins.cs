using KvTiers.Prefix;

namespace KvTiers.Silo.Anthropic;

/// <summary>Keeps prefixes of prompts in the hot tier for a time after each use, whatever else wants the room.</summary>
/// <remarks>
/// Each prefix is pinned with the block that its last token is in. All of them together, and those of one namespace, take no more than their
/// share of the hot tier; one that has no room is not kept. Blocks that several prefixes share count once, but for the last, partly
/// used block of each. Thread-safe.
/// </remarks>
/// <param name="cache">The hot tier.</param>
/// <param name="share">Most of its blocks that are kept, 0 to 1.</param>
/// <param name="shareOfOne">Most of its blocks that one namespace has kept, 0 to 1.</param>
/// <param name="time">The clock, the same as the cache's.</param>
internal sealed class PrefixPins(KvCache cache, double share, double shareOfOne, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly PinnedBlocks _blocks = new();
    private readonly Dictionary<BlockHash, List<PinnedPrefix>> _prefixes = [];
    private readonly Dictionary<BlockHash, int> _tails = [];
    private readonly PriorityQueue<PinnedPrefix, DateTimeOffset> _ending = new();
    private int _tailCount;

    /// <summary>Blocks kept now, as they are counted.</summary>
    public int BlockCount
    {
        get
        {
            lock (_lock)
            {
                GiveUpWhatEnded();
                return _blocks.Count + _tailCount;
            }
        }
    }

    /// <summary>Keeps a prefix from now on, or a prefix that is kept for a new time. Its blocks must be hot: it is called while a lease holds them.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="path">Tokens that are computed and begin with the prefix; those that follow it in its last block are needed to find that block.</param>
    /// <param name="tokenCount">Tokens of the prefix.</param>
    /// <param name="timeToLive">How long it is kept after each use.</param>
    /// <returns>False when there is no room for it.</returns>
    public bool TryKeep(BlockHash root, ReadOnlySpan<int> path, int tokenCount, TimeSpan timeToLive)
    {
        int blockSize = cache.Shape.BlockSize;
        int wholeTokens = tokenCount / blockSize * blockSize;
        ReadOnlySpan<int> tail = path[wholeTokens..tokenCount];
        ReadOnlySpan<int> pinned = path[..Math.Min(path.Length, tail.IsEmpty ? tokenCount : wholeTokens + blockSize)];
        ReadOnlySpan<BlockHash> blocks = new BlockPath(root, blockSize, path[..wholeTokens]).Hashes(0, wholeTokens / blockSize).Span;
        BlockHash lastBlock = blocks.IsEmpty ? root : blocks[^1];
        lock (_lock)
        {
            GiveUpWhatEnded();
            DateTimeOffset until = time.GetUtcNow() + timeToLive;
            if (Find(lastBlock, tail) is { } known)
            {
                if (known.Pin.TokenCount < tokenCount) Replace(known, cache.Pin(root, pinned, known.Until));
                known.TimeToLive = timeToLive;
                if (until > known.Until) Renew(known, until);
                return true;
            }

            int wanted = _blocks.CountNew(blocks) + (tail.IsEmpty ? 0 : 1);
            if (_blocks.Count + _tailCount + wanted > share * cache.Pool.Capacity
                || _blocks.CountOf(root) + _tails.GetValueOrDefault(root) + wanted > shareOfOne * cache.Pool.Capacity)
                return false;
            Add(new PinnedPrefix(root, lastBlock, tail.ToArray()) { Pin = cache.Pin(root, pinned, until), TimeToLive = timeToLive, Until = until }, blocks);
            return true;
        }
    }

    /// <summary>Notes a use: every prefix that the tokens begin with is kept for its time from now on.</summary>
    public void Renew(BlockHash root, ReadOnlySpan<int> tokens)
    {
        lock (_lock)
        {
            GiveUpWhatEnded();
            if (_prefixes.Count == 0) return;
            int blockSize = cache.Shape.BlockSize;
            DateTimeOffset now = time.GetUtcNow();
            ReadOnlySpan<BlockHash> blocks = new BlockPath(root, blockSize, tokens).Hashes(0, tokens.Length / blockSize).Span;
            for (int count = 0; count <= blocks.Length; count++)
            {
                if (!_prefixes.TryGetValue(count == 0 ? root : blocks[count - 1], out List<PinnedPrefix>? here)) continue;
                foreach (PinnedPrefix prefix in here)
                    if (tokens[(count * blockSize)..].StartsWith(prefix.Tail)) Renew(prefix, now + prefix.TimeToLive);
            }
        }
    }

    private PinnedPrefix? Find(BlockHash lastBlock, ReadOnlySpan<int> tail)
    {
        foreach (PinnedPrefix prefix in _prefixes.GetValueOrDefault(lastBlock) ?? [])
            if (prefix.Tail.SequenceEqual(tail)) return prefix;
        return null;
    }

    private void Add(PinnedPrefix prefix, ReadOnlySpan<BlockHash> blocks)
    {
        if (!_prefixes.TryGetValue(prefix.LastBlock, out List<PinnedPrefix>? here)) _prefixes.Add(prefix.LastBlock, here = []);
        here.Add(prefix);
        _blocks.Add(prefix.Root, blocks);
        CountTail(prefix, 1);
        _ending.Enqueue(prefix, prefix.Until);
    }

    private static void Replace(PinnedPrefix prefix, Pin pin)
    {
        prefix.Pin.Dispose();
        prefix.Pin = pin;
    }

    private static void Renew(PinnedPrefix prefix, DateTimeOffset until)
    {
        if (prefix.Pin.TryRenew(until)) prefix.Until = until;
    }

    // A prefix stands in the queue for one of its ends; where it was used since, it goes back for a later one.
    private void GiveUpWhatEnded()
    {
        DateTimeOffset now = time.GetUtcNow();
        while (_ending.TryPeek(out PinnedPrefix? prefix, out DateTimeOffset end) && end <= now)
        {
            _ending.Dequeue();
            if (prefix.Until > now) _ending.Enqueue(prefix, prefix.Until);
            else Remove(prefix);
        }
    }

    private void Remove(PinnedPrefix prefix)
    {
        prefix.Pin.Dispose();
        List<PinnedPrefix> here = _prefixes[prefix.LastBlock];
        here.Remove(prefix);
        if (here.Count == 0) _prefixes.Remove(prefix.LastBlock);
        _blocks.Remove(prefix.Root, prefix.LastBlock);
        CountTail(prefix, -1);
    }

    private void CountTail(PinnedPrefix prefix, int change)
    {
        if (prefix.Tail.IsEmpty) return;
        _tailCount += change;
        int count = _tails.GetValueOrDefault(prefix.Root) + change;
        if (count == 0) _tails.Remove(prefix.Root);
        else _tails[prefix.Root] = count;
    }
}
