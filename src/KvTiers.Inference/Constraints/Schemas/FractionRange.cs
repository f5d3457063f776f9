using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>What stands behind a number's whole part: nothing, or a point and digits, between bounds.</summary>
internal static class FractionRange
{
    private static readonly Expression Digit = Expression.Range('0', '9');

    /// <summary>The fractions from one to another.</summary>
    /// <param name="low">The digits of the least, without zeros at the end.</param>
    /// <param name="isLowExcluded">True when it is left out itself.</param>
    /// <param name="high">The digits of the most, without zeros at the end; null = any that is below 1.</param>
    /// <param name="isHighExcluded">True when it is left out itself.</param>
    public static Expression Between(string low, bool isLowExcluded, string? high, bool isHighExcluded)
    {
        int room = Math.Max(NumberRange.Digits, Math.Max(low.Length, high?.Length ?? 0) + 1);
        (bool isEmptyAllowed, Expression digits) = Tail(low, isLowExcluded, high, isHighExcluded, room);
        var fraction = Expression.Sequence(Expression.Literal("."), digits);
        return isEmptyAllowed ? Expression.Choice(Expression.Empty, fraction) : fraction;
    }

    // The digits that may stand next, at least one, and whether the number may end instead.
    private static (bool IsEmptyAllowed, Expression Digits) Tail(string low, bool isLowExcluded, string? high, bool isHighExcluded, int room)
    {
        if (low.Length == 0 && !isLowExcluded && high is null)
            return (true, Expression.Repeat(Digit, 1, room));
        bool isEmptyAllowed = low.Length == 0 && !isLowExcluded && (high is null or { Length: > 0 } || !isHighExcluded);
        if (room == 0)
            return (isEmptyAllowed, Expression.Nothing);
        char least = low.Length > 0 ? low[0] : '0';
        char most = high is null ? '9' : high.Length > 0 ? high[0] : '0';
        var options = new List<Expression>();
        if (least > most)
            return (isEmptyAllowed, Expression.Nothing);
        bool followsHigh = high is not null;
        char firstFree = (char)(least + 1);
        char lastFree = followsHigh ? (char)(most - 1) : most;
        options.Add(Follow(least, Rest(low), isLowExcluded, followsHigh && least == most ? Rest(high!) : null, isHighExcluded, room));
        if (followsHigh && most > least)
            options.Add(Follow(most, "", false, Rest(high!), isHighExcluded, room));
        if (firstFree <= lastFree)
            options.Add(Expression.Sequence(Expression.Range(firstFree, lastFree), Expression.Repeat(Digit, 0, room - 1)));
        return (isEmptyAllowed, Expression.Choice(options));
    }

    private static Expression Follow(char digit, string low, bool isLowExcluded, string? high, bool isHighExcluded, int room)
    {
        (bool isEmptyAllowed, Expression digits) = Tail(low, isLowExcluded, high, isHighExcluded, room - 1);
        Expression rest = isEmptyAllowed ? Expression.Optional(digits) : digits;
        return Expression.Sequence(Expression.Literal(digit.ToString()), rest);
    }

    private static string Rest(string digits) => digits.Length > 0 ? digits[1..] : "";
}
