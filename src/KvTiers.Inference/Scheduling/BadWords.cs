using System.Text;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Scheduling;

/// <summary>The words that a generation must not hold, as the tokens that would complete one.</summary>
/// <remarks>
/// Over bytes. A token completes a word when it holds the whole of it, or when it begins with the word's bytes from k on and the output ends with the first
/// k. The former are never chosen; the latter are listed for each word and k. Immutable, shared by all choices of a generation.
/// </remarks>
internal sealed class BadWords
{
    private readonly byte[][] _words;
    private readonly int[] _whole;
    private readonly int[][][] _rests;

    private BadWords(byte[][] words, int[] whole, int[][][] rests)
    {
        _words = words;
        _whole = whole;
        _rests = rests;
        TailLength = words.Max(word => word.Length) - 1;
    }

    /// <summary>Bytes at the end of an output in which a word may have begun.</summary>
    public int TailLength { get; }

    /// <summary>Bytes of the tokens, which the tails are made of.</summary>
    public required Tokenizer Tokenizer { get; init; }

    /// <summary>Looks through the vocabulary for the tokens.</summary>
    /// <exception cref="ArgumentException">No token would be left; the parameter name is the request's property.</exception>
    public static BadWords Compile(IReadOnlyList<string> words, Tokenizer tokenizer, int vocabulary)
    {
        byte[][] bytes = [.. words.Select(Encoding.UTF8.GetBytes)];
        ILookup<byte, int> byFirst = Enumerable.Range(0, vocabulary)
            .Where(id => !tokenizer.IsSpecial(id) && tokenizer.TokenBytes(id).Length > 0)
            .ToLookup(id => tokenizer.TokenBytes(id)[0]);
        int[] whole = [.. byFirst.SelectMany(tokens => tokens).Where(id => bytes.Any(word => tokenizer.TokenBytes(id).IndexOf(word) >= 0))];
        if (whole.Length == byFirst.Sum(tokens => tokens.Count()))
            throw new ArgumentException("BadWords leaves no token of the vocabulary; it must leave some.", nameof(GenerationRequest.BadWords));
        int[][][] rests = [.. bytes.Select(word => (int[][])
        [
            .. Enumerable.Range(1, word.Length - 1).Select(k => byFirst[word[k]].Where(id => tokenizer.TokenBytes(id).StartsWith(word.AsSpan(k))).ToArray()),
        ])];
        return new(bytes, whole, rests) { Tokenizer = tokenizer };
    }

    /// <summary>Adds the tokens that would complete a word after an output that ends so.</summary>
    public void Collect(ReadOnlySpan<byte> tail, List<int> bans)
    {
        bans.AddRange(_whole);
        for (int i = 0; i < _words.Length; i++)
        {
            for (int k = Math.Min(_words[i].Length - 1, tail.Length); k > 0; k--)
            {
                if (tail.EndsWith(_words[i].AsSpan(0, k)))
                    bans.AddRange(_rests[i][k - 1]);
            }
        }
    }
}
