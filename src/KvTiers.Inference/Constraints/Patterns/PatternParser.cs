using System.Globalization;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Patterns;

/// <summary>Reads a regular expression in the syntax that ECMA-262, .NET, Python and Rust share. What is not regular is refused by name.</summary>
internal sealed partial class PatternParser
{
    private readonly string _text;
    private readonly List<(Expression Beginning, bool IsNegated)> _ahead = [];
    private int _position;
    private int _depth;
    private bool _isAheadAnchored;

    private PatternParser(string text) => _text = text;

    private bool AtEnd => _position == _text.Length;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="ConstraintException">It is not well-formed, or asks for what is not supported; the message quotes it and says where.</exception>
    public static Pattern Parse(string text)
    {
        var parser = new PatternParser(text);
        Expression body = parser.ReadChoice();
        if (!parser.AtEnd)
            throw parser.Fail("a ')' that closes nothing");
        if (parser._ahead.Count > 0 && body is ChoiceExpression)
            throw parser.Fail("a lookahead in one of several alternatives");
        return new Pattern(body, parser._ahead, parser._isAheadAnchored);
    }

    private Expression ReadChoice()
    {
        if (++_depth > ConstraintLimits.Depth)
            throw Fail($"groups more than {ConstraintLimits.Depth} deep");
        var options = new List<Expression> { ReadSequence() };
        while (TryTake('|'))
            options.Add(ReadSequence());
        _depth--;
        return Expression.Choice(options);
    }

    private Expression ReadSequence()
    {
        var parts = new List<Expression>();
        while (!AtEnd && _text[_position] is not ('|' or ')'))
        {
            if (TryReadAhead(parts))
                continue;
            parts.Add(ReadRepeat(ReadAtom()));
        }

        return Expression.Sequence(parts);
    }

    // Only where the whole text begins does a lookahead say something about the whole text.
    private bool TryReadAhead(List<Expression> before)
    {
        bool isNegated = Looks("(?!");
        if (!isNegated && !Looks("(?="))
            return false;
        if (_depth != 1 || !before.All(part => part is AnchorExpression { AtStart: true }))
            throw Fail("a lookahead behind the pattern's beginning");
        _isAheadAnchored = before.Count > 0;
        _position += 3;
        Expression beginning = ReadChoice();
        Expect(')');
        _ahead.Add((beginning, isNegated));
        return true;
    }

    private Expression ReadRepeat(Expression body)
    {
        while (!AtEnd)
        {
            int begin = _position;
            if (!TryReadCount(out int min, out int? max))
                break;
            if (max < min)
                throw Fail($"the count '{_text[begin.._position]}', whose end is below its beginning");
            if (!TryTake('?') && Looks("+"))
                throw Fail("a possessive quantifier");
            body = Expression.Repeat(body, min, max);
            if (!AtEnd && _text[_position] is '*' or '+' or '?')
                throw Fail("a quantifier behind a quantifier");
            return body;
        }

        return body;
    }

    private bool TryReadCount(out int min, out int? max)
    {
        (min, max) = _text[_position] switch
        {
            '*' => (0, null),
            '+' => (1, null),
            '?' => (0, 1),
            _ => (-1, (int?)null),
        };
        if (min >= 0)
        {
            _position++;
            return true;
        }

        if (_text[_position] != '{')
            return false;
        int end = _text.IndexOf('}', _position);
        string[] bounds = end < 0 ? [] : _text[(_position + 1)..end].Split(',');
        if (bounds.Length is 0 or > 2 || bounds[0].Length == 0 || !bounds.All(bound => bound.All(char.IsAsciiDigit)))
            return false; // A brace like any other character.
        min = Count(bounds[0]);
        max = bounds.Length == 1 ? min : bounds[1].Length == 0 ? null : Count(bounds[1]);
        _position = end + 1;
        return true;
    }

    // No text is as long as the largest count.
    private static int Count(string digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? Math.Min(count, int.MaxValue - 1) : int.MaxValue - 1;

    private bool TryTake(char character)
    {
        if (AtEnd || _text[_position] != character)
            return false;
        _position++;
        return true;
    }

    private void Expect(char character)
    {
        if (!TryTake(character))
            throw Fail(AtEnd ? $"an end where '{character}' is missing" : $"'{_text[_position]}' where '{character}' is missing");
    }

    private bool Looks(string what) => string.CompareOrdinal(_text, _position, what, 0, what.Length) == 0;

    private ConstraintException Fail(string what) =>
        new($"The pattern '{(_text.Length > 100 ? _text[..100] + "…" : _text)}' has {what} at character {_position}, which is not supported.");
}
