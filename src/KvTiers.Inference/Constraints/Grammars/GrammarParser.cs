using System.Globalization;
using System.Text;
using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Grammars;

/// <summary>Reads a grammar in GBNF, and in what other dialects of EBNF write alike.</summary>
/// <param name="builder">Receives a rule for each name.</param>
/// <param name="text">The grammar.</param>
/// <param name="addSchema">Adds the rule of a JSON Schema that stands in the grammar.</param>
internal sealed partial class GrammarParser(AutomatonBuilder builder, string text, Func<JsonElement, int> addSchema)
{
    private readonly Dictionary<string, (int Rule, Expression? Body)> _rules = [];
    private int _position;
    private int _depth;

    private bool AtEnd => _position >= text.Length;

    /// <summary>The rules by name; null for those that are named and not defined.</summary>
    /// <exception cref="ConstraintException">The grammar is not well-formed; the message names the line.</exception>
    public IReadOnlyDictionary<string, (int Rule, Expression? Body)> Parse()
    {
        SkipSpace();
        while (!AtEnd)
        {
            string name = ReadName();
            SkipSpace();
            if (!TryTake("::=") && !TryTake("=") && !TryTake(":"))
                throw Fail("'::=' is missing");
            Expression body = ReadChoice();
            if (RuleOf(name).Body is not null)
                throw Fail($"the rule '{name}' is defined twice");
            _rules[name] = (_rules[name].Rule, body);
            TryTake(";");
            SkipSpace();
        }

        return _rules;
    }

    private (int Rule, Expression? Body) RuleOf(string name)
    {
        if (!_rules.ContainsKey(name))
            _rules[name] = (builder.AddRule(name), null);
        return _rules[name];
    }

    private Expression ReadChoice()
    {
        if (++_depth > ConstraintLimits.Depth)
            throw Fail($"groups stand more than {ConstraintLimits.Depth} deep");
        var options = new List<Expression> { ReadSequence() };
        while (TryTake("|"))
            options.Add(ReadSequence());
        _depth--;
        return Expression.Choice(options);
    }

    private Expression ReadSequence()
    {
        var parts = new List<Expression>();
        SkipSpace();
        while (!AtEnd && text[_position] is not ('|' or ')' or ';') && !AtDefinition())
        {
            parts.Add(ReadRepeat(ReadAtom()));
            SkipSpace();
        }

        return Expression.Sequence(parts);
    }

    // A name behind which a rule begins is the next rule's.
    private bool AtDefinition()
    {
        int position = _position;
        if (!IsNamePart(text[position]))
            return false;
        while (!AtEnd && IsNamePart(text[_position]))
            _position++;
        SkipSpace();
        bool defines = TryTake("::=") || TryTake("=") || TryTake(":");
        _position = position;
        return defines;
    }

    private Expression ReadAtom()
    {
        switch (text[_position])
        {
            case '"' or '\'':
                return Expression.Literal(ReadLiteral(text[_position]));
            case '[':
                _position++;
                return new CharacterExpression(ReadClass());
            case '.':
                _position++;
                return new CharacterExpression(CharacterSet.All);
            case '(':
                _position++;
                Expression body = ReadChoice();
                if (!TryTake(")"))
                    throw Fail("')' is missing");
                return body;
            case '%' when TryTake("%json"):
                SkipSpace();
                return new CallExpression(ReadSchema());
            case '<' or '!':
                throw Fail("tokens by name or number are not supported");
            default:
                return new CallExpression(RuleOf(ReadName()).Rule);
        }
    }

    private Expression ReadRepeat(Expression body)
    {
        for (int count = 0; !AtEnd; count++)
        {
            if (count > ConstraintLimits.Depth)
                throw Fail("there are too many quantifiers behind one another");
            if (TryTake("*"))
                body = Expression.Repeat(body, 0, null);
            else if (TryTake("+"))
                body = Expression.Repeat(body, 1, null);
            else if (TryTake("?"))
                body = Expression.Optional(body);
            else if (TryTake("{"))
                body = ReadCount(body);
            else
                break;
        }

        return body;
    }

    private RepeatExpression ReadCount(Expression body)
    {
        int end = text.IndexOf('}', _position);
        string[] bounds = end < 0 ? [] : [.. text[_position..end].Split(',').Select(bound => bound.Trim())];
        if (bounds.Length is 0 or > 2 || !bounds.All(bound => bound.All(char.IsAsciiDigit)) || bounds.All(bound => bound.Length == 0))
            throw Fail("a count must be {n}, {n,}, {,m} or {n,m}");
        _position = end + 1;
        int min = Count(bounds[0]);
        int? max = bounds.Length == 1 ? min : bounds[1].Length == 0 ? null : Count(bounds[1]);
        return max < min ? throw Fail($"the count's end {max} is below its beginning {min}") : new RepeatExpression(body, min, max);
    }

    private static int Count(string digits)
    {
        if (digits.Length == 0)
            return 0;
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? Math.Min(count, int.MaxValue - 1) : int.MaxValue - 1;
    }

    private int ReadSchema()
    {
        byte[] rest = Encoding.UTF8.GetBytes(text[_position..]);
        var reader = new Utf8JsonReader(rest, new JsonReaderOptions { MaxDepth = ConstraintLimits.Depth, AllowMultipleValues = true });
        try
        {
            using JsonDocument schema = JsonDocument.ParseValue(ref reader);
            _position += Encoding.UTF8.GetCharCount(rest.AsSpan(0, (int)reader.BytesConsumed));
            return addSchema(schema.RootElement.Clone());
        }
        catch (JsonException e)
        {
            throw new ConstraintException($"{Fail("the schema behind %json is not well-formed JSON").Message} {e.Message}", e);
        }
    }

    private string ReadName()
    {
        int begin = _position;
        while (!AtEnd && IsNamePart(text[_position]))
            _position++;
        return _position > begin ? text[begin.._position] : throw Fail(AtEnd ? "it ends where a rule is missing" : $"'{text[_position]}' stands where a name is missing");
    }

    private static bool IsNamePart(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_';

    private void SkipSpace()
    {
        while (!AtEnd && (char.IsWhiteSpace(text[_position]) || text[_position] == '#'))
        {
            if (text[_position] == '#')
                _position = text.IndexOf('\n', _position) is var end && end < 0 ? text.Length : end;
            else
                _position++;
        }
    }

    private bool TryTake(string what)
    {
        if (string.CompareOrdinal(text, _position, what, 0, what.Length) != 0)
            return false;
        _position += what.Length;
        return true;
    }

    private ConstraintException Fail(string what) =>
        new($"Line {text.AsSpan(0, Math.Min(_position, text.Length)).Count('\n') + 1} of the grammar: {what}.");
}
