using KvTiers.Inference.Tokens;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.Turns;

/// <summary>Holds the tokens of one choice back until some of their text is part of the answer, so that those of a cut stop string, and of an end token, never come.</summary>
/// <remarks>A token that ends inside a character has no text of its own; it comes with what completes the character. Used by one owner at a time.</remarks>
internal sealed class CertainTokens(LoadedModel model)
{
    private readonly TokenStream _stream = model.Tokenizer.CreateStream();
    private readonly Queue<(AnswerToken Token, int Start, int End)> _held = new();
    private int _decoded;
    private int _released;

    /// <summary>Takes the next token, and gives those that are certain now.</summary>
    public IReadOnlyList<CertainToken> Add(AnswerToken token)
    {
        _released += token.CertainLength;
        if (!model.EndsText(token.TokenId))
        {
            int start = _decoded;
            _decoded += _stream.Append(token.TokenId).Length;
            _held.Enqueue((token, start, _decoded));
        }

        return Take(_released);
    }

    /// <summary>Ends the answer, and gives the tokens that are left.</summary>
    /// <param name="finishReason">Why it ended. After a stop what is left was cut off.</param>
    public IReadOnlyList<CertainToken> End(string finishReason) => finishReason == "length" ? Take(int.MaxValue) : [];

    private List<CertainToken> Take(int released)
    {
        List<CertainToken> taken = [];
        while (_held.TryPeek(out (AnswerToken Token, int Start, int End) first) && first.Start < released)
        {
            _held.Dequeue();
            taken.Add(new CertainToken(first.Token, first.End - first.Start));
        }

        return taken;
    }
}
