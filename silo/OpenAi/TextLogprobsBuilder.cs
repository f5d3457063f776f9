using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>Gathers the log probabilities of a text answer's tokens as they come.</summary>
/// <param name="tokenizer">Gives the tokens' texts.</param>
/// <param name="offset">Characters that stand before the first token.</param>
internal sealed class TextLogprobsBuilder(Tokenizer tokenizer, int offset = 0)
{
    private readonly List<string> _tokens = [];
    private readonly List<double?> _logprobs = [];
    private readonly List<IReadOnlyDictionary<string, double>?> _tops = [];
    private readonly List<int> _offsets = [];
    private int _offset = offset;

    /// <summary>Adds a token.</summary>
    /// <param name="tokenId">The token.</param>
    /// <param name="logProb">Its log probability; null when nothing stands before it.</param>
    /// <param name="textLength">Characters of the answer that became certain with it.</param>
    public void Add(int tokenId, TokenLogProbView? logProb, int textLength)
    {
        _tokens.Add(TokenText.Of(tokenId, tokenizer));
        _logprobs.Add(logProb is null ? null : TokenText.Finite(logProb.LogProb));
        _tops.Add(logProb is null ? null : Tops(logProb));
        _offsets.Add(_offset);
        _offset += textLength;
    }

    /// <summary>Adds tokens, and gives them; null when there are none.</summary>
    public TextLogprobs? Take(IReadOnlyList<CertainToken> tokens)
    {
        foreach (CertainToken token in tokens) Add(token.Token.TokenId, token.Token.LogProb, token.TextLength);
        return tokens.Count == 0 ? null : Take();
    }

    /// <summary>What was added since the start, or since the last call.</summary>
    public TextLogprobs Take()
    {
        var taken = new TextLogprobs([.. _tokens], [.. _logprobs], [.. _tops], [.. _offsets]);
        _tokens.Clear();
        _logprobs.Clear();
        _tops.Clear();
        _offsets.Clear();
        return taken;
    }

    private Dictionary<string, double> Tops(TokenLogProbView logProb)
    {
        var tops = new Dictionary<string, double>();
        // Two tokens may share one text; the likelier one comes first and stays.
        foreach (TokenLogProbView top in logProb.Top) tops.TryAdd(TokenText.Of(top.TokenId, tokenizer), TokenText.Finite(top.LogProb));
        return tops;
    }
}
