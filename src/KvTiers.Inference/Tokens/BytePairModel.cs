using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace KvTiers.Inference.Tokens;

/// <summary>
/// Byte-level byte pair encoding. A word starts as its UTF-8 bytes; again and again the adjacent pair with the lowest merge rank, the leftmost of
/// equals, becomes one token, until no pair has a rank.
/// </summary>
/// <remarks>Short words scan for the lowest rank; long ones keep the candidates in a heap, so that a word of n bytes costs O(n log n). Thread-safe.</remarks>
internal sealed class BytePairModel
{
    private const int LongestScanned = 48;
    private const int LongestCached = 64;
    private const int CacheCapacity = 16_384;

    private readonly int[] _idOfByte;
    private readonly Dictionary<long, Merge> _merges;
    private readonly Dictionary<string, int>? _wholeWords;
    private readonly bool _fuseUnknown;
    private readonly int _unknownId;
    private readonly WordCache _cache = new(CacheCapacity);

    /// <param name="idOfByte">[256] ids of the single bytes; −1 where the vocabulary has none.</param>
    /// <param name="merges">Pair of ids → rank and result, see <see cref="PairKey"/>.</param>
    /// <param name="wholeWords">Vocabulary in the byte alphabet, when a word that is in it is taken without merging (<c>ignore_merges</c>); else <c>null</c>.</param>
    /// <param name="unknownId">Stands in for a byte without id; <c>null</c>: such a byte is dropped, as the reference does.</param>
    /// <param name="fuseUnknown">Neighbouring unknown bytes become one token.</param>
    public BytePairModel(int[] idOfByte, Dictionary<long, Merge> merges, Dictionary<string, int>? wholeWords, int? unknownId, bool fuseUnknown)
    {
        _idOfByte = idOfByte;
        _merges = merges;
        _wholeWords = wholeWords;
        _unknownId = unknownId ?? -1;
        _fuseUnknown = fuseUnknown;
    }

    /// <summary>A merge: its rank (low merges first) and the id it makes.</summary>
    internal readonly record struct Merge(int Rank, int Id);

    /// <summary>The dictionary key of a pair.</summary>
    public static long PairKey(int left, int right) => ((long)left << 32) | (uint)right;

    /// <summary>Appends the ids of one word.</summary>
    public void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        bool cached = word.Length <= LongestCached;
        if (cached && _cache.Find(word) is { } known)
        {
            ids.AddRange(known);
            return;
        }

        int before = ids.Count;
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(word.Length));
        int length = Encoding.UTF8.GetBytes(word, utf8);
        if (_wholeWords is null || !TryWholeWord(utf8.AsSpan(0, length), ids))
            MergeBytes(utf8.AsSpan(0, length), ids);
        ArrayPool<byte>.Shared.Return(utf8);
        if (cached)
            _cache.Add(word, CollectionsMarshal.AsSpan(ids)[before..].ToArray());
    }

    private bool TryWholeWord(ReadOnlySpan<byte> utf8, List<int> ids)
    {
        char[] letters = ArrayPool<char>.Shared.Rent(utf8.Length);
        for (int i = 0; i < utf8.Length; i++)
            letters[i] = ByteAlphabet.CharacterOf(utf8[i]);
        bool found = _wholeWords!.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(letters.AsSpan(0, utf8.Length), out int id);
        ArrayPool<char>.Shared.Return(letters);
        if (found)
            ids.Add(id);
        return found;
    }

    private void MergeBytes(ReadOnlySpan<byte> utf8, List<int> ids)
    {
        int[] symbols = ArrayPool<int>.Shared.Rent(utf8.Length);
        int count = 0;
        foreach (byte value in utf8)
        {
            int id = _idOfByte[value] >= 0 ? _idOfByte[value] : _unknownId;
            bool unknown = _idOfByte[value] < 0;
            if (id < 0 || (unknown && _fuseUnknown && count > 0 && symbols[count - 1] == _unknownId))
                continue;
            symbols[count++] = id;
        }

        count = count <= LongestScanned ? MergeByScanning(symbols.AsSpan(0, count)) : MergeByHeap(symbols.AsSpan(0, count));
        ids.AddRange(symbols.AsSpan(0, count));
        ArrayPool<int>.Shared.Return(symbols);
    }

    /// <summary>Merges in place, and returns how many symbols are left.</summary>
    internal int MergeByScanning(Span<int> symbols)
    {
        int count = symbols.Length;
        Span<Merge> merges = stackalloc Merge[LongestScanned];
        for (int i = 0; i + 1 < count; i++)
            merges[i] = Find(symbols[i], symbols[i + 1]);
        while (count > 1)
        {
            int best = 0;
            for (int i = 1; i + 1 < count; i++)
            {
                if (merges[i].Rank < merges[best].Rank)
                    best = i;
            }

            if (merges[best].Rank == int.MaxValue)
                break;
            symbols[best] = merges[best].Id;
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            merges[(best + 1)..(count - 1)].CopyTo(merges[best..]);
            count--;
            if (best > 0)
                merges[best - 1] = Find(symbols[best - 1], symbols[best]);
            if (best + 1 < count)
                merges[best] = Find(symbols[best], symbols[best + 1]);
        }

        return count;
    }

    /// <summary>Merges in place, and returns how many symbols are left.</summary>
    internal int MergeByHeap(Span<int> symbols)
    {
        // A linked list over the positions: a merge keeps the left position and takes the right one (−1) out.
        int count = symbols.Length;
        int[] next = new int[count];
        int[] previous = new int[count];
        var candidates = new PriorityQueue<(int Position, int Left, int Right, int Id), (int Rank, int Position)>(count);
        for (int i = 0; i < count; i++)
        {
            next[i] = i + 1 < count ? i + 1 : -1;
            previous[i] = i - 1;
        }

        for (int i = 0; i + 1 < count; i++)
            Offer(symbols, i, i + 1);
        while (candidates.TryDequeue(out var candidate, out _))
        {
            int left = candidate.Position;
            int right = symbols[left] < 0 ? -1 : next[left];
            if (right < 0 || symbols[left] != candidate.Left || symbols[right] != candidate.Right)
                continue;
            symbols[left] = candidate.Id;
            symbols[right] = -1;
            next[left] = next[right];
            if (next[left] >= 0)
            {
                previous[next[left]] = left;
                Offer(symbols, left, next[left]);
            }

            if (previous[left] >= 0)
                Offer(symbols, previous[left], left);
        }

        int kept = 0;
        foreach (int symbol in symbols)
        {
            if (symbol >= 0)
                symbols[kept++] = symbol;
        }

        return kept;

        void Offer(Span<int> current, int left, int right)
        {
            Merge merge = Find(current[left], current[right]);
            if (merge.Rank != int.MaxValue)
                candidates.Enqueue((left, current[left], current[right], merge.Id), (merge.Rank, left));
        }
    }

    private Merge Find(int left, int right) => _merges.TryGetValue(PairKey(left, right), out Merge merge) ? merge : new Merge(int.MaxValue, -1);
}
