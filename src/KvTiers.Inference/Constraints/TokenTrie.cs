using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Constraints;

/// <summary>The bytes of a vocabulary's tokens as a tree, depth first: one walk tries all tokens, and each beginning that they share once.</summary>
/// <remarks>Special tokens, those that end the text, and ids without bytes are not in it. Immutable.</remarks>
internal sealed class TokenTrie
{
    private static readonly ConditionalWeakTable<Tokenizer, TokenTrie> Known = [];

    private readonly List<byte> _bytes = [];
    private readonly List<int> _depths = [];
    private readonly List<int> _firstTokens = [];
    private readonly List<int> _tokens = [];
    private readonly int[] _ends;

    private TokenTrie(Tokenizer tokenizer)
    {
        VocabularySize = tokenizer.VocabularySize;
        EndOfText = tokenizer.EndOfText;
        int[] ids = [.. Enumerable.Range(0, tokenizer.VocabularySize)
            .Where(id => !tokenizer.IsSpecial(id) && !tokenizer.TokenBytes(id).IsEmpty && !tokenizer.EndOfText.Contains(id))];
        Array.Sort(ids, (x, y) => tokenizer.TokenBytes(x).SequenceCompareTo(tokenizer.TokenBytes(y)) is var order and not 0 ? order : x - y);
        ReadOnlySpan<byte> former = [];
        foreach (int id in ids)
        {
            ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
            for (int depth = former.CommonPrefixLength(bytes); depth < bytes.Length; depth++)
            {
                _bytes.Add(bytes[depth]);
                _depths.Add(depth);
                _firstTokens.Add(_tokens.Count);
            }

            _tokens.Add(id);
            MaxDepth = Math.Max(MaxDepth, bytes.Length);
            former = bytes;
        }

        _firstTokens.Add(_tokens.Count);
        _ends = FindEnds();
    }

    /// <summary>One more than the highest id.</summary>
    public int VocabularySize { get; }

    /// <summary>All ids that end a generation.</summary>
    public IReadOnlyList<int> EndOfText { get; }

    /// <summary>Nodes, each one byte.</summary>
    public int Count => _bytes.Count;

    /// <summary>Bytes of the longest token.</summary>
    public int MaxDepth { get; }

    /// <summary>The tree of a tokenizer, made once.</summary>
    public static TokenTrie Of(Tokenizer tokenizer) => Known.GetValue(tokenizer, static tokenizer => new TokenTrie(tokenizer));

    /// <summary>The byte of a node.</summary>
    public byte ByteOf(int node) => _bytes[node];

    /// <summary>Bytes before a node's own.</summary>
    public int DepthOf(int node) => _depths[node];

    /// <summary>The node after all that begin with this one.</summary>
    public int EndOf(int node) => _ends[node];

    /// <summary>The tokens that end at a node, ascending.</summary>
    public ReadOnlySpan<int> TokensOf(int node) =>
        CollectionsMarshal.AsSpan(_tokens)[_firstTokens[node].._firstTokens[node + 1]];

    private int[] FindEnds()
    {
        var ends = new int[_bytes.Count];
        var open = new Stack<int>();
        for (int node = 0; node <= ends.Length; node++)
        {
            while (open.TryPeek(out int before) && (node == ends.Length || _depths[before] >= _depths[node]))
                ends[open.Pop()] = node;
            open.Push(node);
        }

        return ends;
    }
}
