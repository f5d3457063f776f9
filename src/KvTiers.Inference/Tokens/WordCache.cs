using System.Collections.Concurrent;

namespace KvTiers.Inference.Tokens;

/// <summary>Remembers the ids of words that were merged lately. Bounded, thread-safe.</summary>
/// <remarks>
/// Two generations: a hit in the old one is copied to the young one; when the young one is full it becomes the old one. A word that is used
/// at least once per generation stays.
/// </remarks>
/// <param name="capacity">Most words of one generation.</param>
internal sealed class WordCache(int capacity)
{
    private readonly Lock _turnover = new();
    private ConcurrentDictionary<string, int[]> _young = new();
    private ConcurrentDictionary<string, int[]> _old = new();
    private int _youngCount;

    /// <summary>Words held, those of both generations.</summary>
    public int Count => _young.Count + _old.Count;

    /// <summary>The ids of a word, or <c>null</c>.</summary>
    public int[]? Find(ReadOnlySpan<char> word)
    {
        if (_young.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out int[]? ids))
            return ids;
        if (!_old.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out ids))
            return null;
        Add(word, ids);
        return ids;
    }

    /// <summary>Remembers a word.</summary>
    public void Add(ReadOnlySpan<char> word, int[] ids)
    {
        if (!_young.TryAdd(word.ToString(), ids) || Interlocked.Increment(ref _youngCount) < capacity)
            return;
        lock (_turnover)
        {
            if (_youngCount < capacity)
                return;
            _old = _young;
            _young = new ConcurrentDictionary<string, int[]>();
            _youngCount = 0;
        }
    }
}
