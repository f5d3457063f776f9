using System.Globalization;
using System.Numerics;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>Numbers between bounds as text, without exponent and without zeros in front. No number is written <c>-0</c>.</summary>
/// <param name="Low">Least; null = none.</param>
/// <param name="IsLowExcluded">True when <paramref name="Low"/> itself is left out.</param>
/// <param name="High">Most; null = none.</param>
/// <param name="IsHighExcluded">True when <paramref name="High"/> itself is left out.</param>
internal sealed record NumberRange(DecimalNumber? Low, bool IsLowExcluded, DecimalNumber? High, bool IsHighExcluded)
{
    /// <summary>Digits before the point, and behind it, of a number without bounds. A bound with more takes as many.</summary>
    public const int Digits = 16;

    private static readonly Expression Digit = Expression.Range('0', '9');

    public bool IsUnbounded => Low is null && High is null;

    /// <summary>The whole numbers.</summary>
    public Expression Integers()
    {
        BigInteger? low = Low is { } least ? least.Ceiling + (IsLowExcluded && least.IsWhole ? 1 : 0) : null;
        BigInteger? high = High is { } most ? most.Floor - (IsHighExcluded && most.IsWhole ? 1 : 0) : null;
        var options = new List<Expression>();
        if ((low is null || low <= 0) && (high is null || high >= 0))
            options.Add(Expression.Literal("0"));
        if (high is null || high > 0)
            options.Add(Positive(BigInteger.Max(low ?? 1, 1), high));
        if (low is null || low < 0)
            options.Add(Expression.Sequence(Expression.Literal("-"), Positive(BigInteger.Max(-high ?? 1, 1), -low)));
        return Expression.Choice(options);
    }

    /// <summary>All numbers, with up to <see cref="Digits"/> digits behind the point.</summary>
    public Expression Numbers()
    {
        var zero = new DecimalNumber(0, 0);
        var options = new List<Expression>();
        if (High is not { } high || high.CompareTo(zero) > 0 || (high == zero && !IsHighExcluded))
        {
            bool isAboveZero = Low is { } low && low.CompareTo(zero) >= 0;
            options.Add(NotNegative(isAboveZero ? Low!.Value : zero, isAboveZero && IsLowExcluded, High, IsHighExcluded));
        }

        if (Low is not { } least || least.CompareTo(zero) < 0)
        {
            bool isBelowZero = High is { } most && most.CompareTo(zero) < 0;
            Expression mirrored = NotNegative(isBelowZero ? -High!.Value : zero, !isBelowZero || IsHighExcluded, Low is { } bound ? -bound : null, IsLowExcluded);
            options.Add(Expression.Sequence(Expression.Literal("-"), mirrored));
        }

        return Expression.Choice(options);
    }

    // Whole numbers from low, at least 1, to high.
    private static Expression Positive(BigInteger low, BigInteger? high)
    {
        string first = Text(low);
        string last = high is { } bound ? Text(bound) : new string('9', Math.Max(Digits, first.Length));
        if (high < low)
            return Expression.Nothing;
        if (first.Length == last.Length)
            return Between(first, last);
        var options = new List<Expression> { AtLeast(first), AtMost(last, lowest: '1') };
        if (last.Length - first.Length > 1)
            options.Add(Expression.Sequence(Expression.Range('1', '9'), Expression.Repeat(Digit, first.Length, last.Length - 2)));
        return Expression.Choice(options);
    }

    private static Expression Between(string first, string last)
    {
        if (first.Length == 0)
            return Expression.Empty;
        if (first[0] == last[0])
            return Expression.Sequence(Expression.Literal(first[..1]), Between(first[1..], last[1..]));
        var options = new List<Expression>
        {
            Expression.Sequence(Expression.Literal(first[..1]), AtLeast(first[1..])),
            Expression.Sequence(Expression.Literal(last[..1]), AtMost(last[1..])),
        };
        if (last[0] - first[0] > 1)
            options.Add(Expression.Sequence(Expression.Range((char)(first[0] + 1), (char)(last[0] - 1)), Any(first.Length - 1)));
        return Expression.Choice(options);
    }

    // As many digits, and not below.
    private static Expression AtLeast(string digits)
    {
        if (digits.Length == 0)
            return Expression.Empty;
        var same = Expression.Sequence(Expression.Literal(digits[..1]), AtLeast(digits[1..]));
        return digits[0] == '9' ? same : Expression.Choice(same, Expression.Sequence(Expression.Range((char)(digits[0] + 1), '9'), Any(digits.Length - 1)));
    }

    // As many digits, and not above; the first of a number is no 0.
    private static Expression AtMost(string digits, char lowest = '0')
    {
        if (digits.Length == 0)
            return Expression.Empty;
        var same = Expression.Sequence(Expression.Literal(digits[..1]), AtMost(digits[1..]));
        return digits[0] == lowest ? same : Expression.Choice(same, Expression.Sequence(Expression.Range(lowest, (char)(digits[0] - 1)), Any(digits.Length - 1)));
    }

    private static Expression NotNegative(DecimalNumber low, bool isLowExcluded, DecimalNumber? high, bool isHighExcluded)
    {
        if (high is { } limit && low.CompareTo(limit) > 0)
            return Expression.Nothing;
        string lowFraction = low.FractionDigits;
        BigInteger first = low.Floor;
        if (high is { } bound && bound.Floor == first)
            return WithFraction(Text(first), FractionRange.Between(lowFraction, isLowExcluded, bound.FractionDigits, isHighExcluded));
        var options = new List<Expression> { WithFraction(Text(first), FractionRange.Between(lowFraction, isLowExcluded, null, false)) };
        BigInteger? last = high?.Floor;
        if (last is null || last - first > 1)
            options.Add(Expression.Sequence(Positive(first + 1, last - 1), FractionRange.Between("", false, null, false)));
        if (high is { } most)
            options.Add(WithFraction(Text(most.Floor), FractionRange.Between("", false, most.FractionDigits, isHighExcluded)));
        return Expression.Choice(options);
    }

    private static Expression WithFraction(string whole, Expression fraction) => Expression.Sequence(Expression.Literal(whole), fraction);

    private static Expression Any(int digits) => Expression.Repeat(Digit, digits, digits);

    private static string Text(BigInteger number) => number.ToString(CultureInfo.InvariantCulture);
}
