using System.Numerics;
using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Constraints.Patterns;

namespace KvTiers.Inference.Constraints.Schemas;

/// <content>Numbers.</content>
internal sealed partial class SchemaCompiler
{
    private const int MaxDivisor = 1_000;

    // Without bounds: 16 digits before the point and behind it, and an exponent of two digits.
    private const string AnyNumber = "(0|-?[1-9][0-9]{0,15}|-?(0|[1-9][0-9]{0,15})\\.[0-9]{1,16})([eE][+\\-]?[0-9]{1,2})?";

    private void AddNumber(SchemaNode[] nodes, bool allowsFractions, int from, int to)
    {
        NumberRange range = RangeOf(nodes, ref allowsFractions);
        List<DecimalNumber> divisors = [.. With(nodes, "multipleOf").Select(part => Divisor(part.Node, part.Value)).Distinct()];
        if (divisors.Count > 1)
            throw nodes[0].Fail("'multipleOf' is given twice");
        if (divisors is [var divisor] && !(divisor.IsWhole && divisor.Unscaled.IsOne && !allowsFractions))
        {
            AddMultiples(nodes.First(node => node.Get("multipleOf") is not null), range, divisor, allowsFractions, from, to);
            return;
        }

        if (!allowsFractions && range.IsUnbounded)
            builder.AddCall(from, Shared("integer", (start, end) => builder.Add(range.Integers(), start, end, Spelling.Plain)), to);
        else if (!allowsFractions)
            builder.Add(range.Integers(), from, to, Spelling.Plain);
        else if (range.IsUnbounded)
            builder.AddCall(from, Shared("number", (start, end) => builder.Add(PatternCompiler.Parts(AnyNumber, isWhole: true)[0].Body, start, end, Spelling.Plain)), to);
        else
            builder.Add(range.Numbers(), from, to, Spelling.Plain);
    }

    private static NumberRange RangeOf(SchemaNode[] nodes, ref bool allowsFractions)
    {
        var range = new NumberRange(null, false, null, false);
        foreach (SchemaNode node in nodes)
        {
            foreach ((string keyword, bool isLow, bool isExcluded) in (ReadOnlySpan<(string, bool, bool)>)
                [("minimum", true, false), ("exclusiveMinimum", true, true), ("maximum", false, false), ("exclusiveMaximum", false, true)])
            {
                if (node.Get(keyword) is { } value)
                    range = Narrow(node, range, keyword, value, isLow, isExcluded);
            }

            (range, allowsFractions) = node.Get("format") is not { ValueKind: JsonValueKind.String } format ? (range, allowsFractions) : format.GetString() switch
            {
                "int32" => (Narrow(Narrow(range, new(int.MinValue, 0), true, false), new(int.MaxValue, 0), false, false), false),
                "int64" => (Narrow(Narrow(range, new(long.MinValue, 0), true, false), new(long.MaxValue, 0), false, false), false),
                _ => (range, allowsFractions),
            };
        }

        return range;
    }

    private static NumberRange Narrow(SchemaNode node, NumberRange range, string keyword, JsonElement value, bool isLow, bool isExcluded)
    {
        // In drafts up to 4, exclusiveMinimum says of minimum that it is left out.
        if (isExcluded && value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.ValueKind == JsonValueKind.True && node.Get(isLow ? "minimum" : "maximum") is { ValueKind: JsonValueKind.Number } bound
                ? Narrow(range, DecimalNumber.Parse(bound.GetRawText()), isLow, true)
                : range;
        }

        return value.ValueKind == JsonValueKind.Number
            ? Narrow(range, DecimalNumber.Parse(value.GetRawText()), isLow, isExcluded)
            : throw node.Fail($"'{keyword}' is {value.GetRawText()}; it must be a number");
    }

    private static NumberRange Narrow(NumberRange range, DecimalNumber bound, bool isLow, bool isExcluded)
    {
        int order = isLow ? bound.CompareTo(range.Low ?? bound) : (range.High ?? bound).CompareTo(bound);
        if (order < 0)
            return range;
        bool stays = order == 0 && (isLow ? range is { Low: not null, IsLowExcluded: true } : range is { High: not null, IsHighExcluded: true });
        return isLow ? range with { Low = bound, IsLowExcluded = isExcluded || stays } : range with { High = bound, IsHighExcluded = isExcluded || stays };
    }

    private static DecimalNumber Divisor(SchemaNode node, JsonElement value)
    {
        DecimalNumber divisor = value.ValueKind == JsonValueKind.Number ? DecimalNumber.Parse(value.GetRawText()) : default;
        return divisor.Unscaled.Sign > 0 ? divisor : throw node.Fail($"'multipleOf' is {value.GetRawText()}; it must be a number above 0");
    }

    // Multiples of n / 10^s are written with s digits behind the point, whose digits all together are a multiple of n.
    private void AddMultiples(SchemaNode node, NumberRange range, DecimalNumber divisor, bool allowsFractions, int from, int to)
    {
        int fractionDigits = allowsFractions ? divisor.Scale : 0;
        BigInteger step = divisor.Unscaled;
        if (!allowsFractions)
            step /= BigInteger.GreatestCommonDivisor(step, BigInteger.Pow(10, divisor.Scale));
        if (step > MaxDivisor || fractionDigits > NumberRange.Digits)
            throw node.Fail($"'multipleOf' is {node.Get("multipleOf")!.Value.GetRawText()}; without zeros at its end it must have at most {NumberRange.Digits} digits behind the point, and all of its digits must be at most {MaxDivisor}");
        Expression numbers = fractionDigits > 0 ? range.Numbers() : range.Integers();
        Expression written = fractionDigits == 0
            ? Expression.Anything
            : PatternCompiler.Parts($"[0-9\\-]+\\.[0-9]{{{fractionDigits}}}", isWhole: true)[0].Body;
        CharacterDfa.Intersect([(CharacterDfa.Of(numbers), false), (CharacterDfa.Of(written), false), (CharacterDfa.MultiplesOf((int)step), false)])
            .AddTo(builder, from, to, Spelling.Plain);
    }
}
