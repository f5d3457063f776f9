using System.Globalization;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Numbers and their operators, as Python has them.</summary>
internal static class TemplateArithmetic
{
    /// <summary>A number's value, a boolean's as Python has it; <c>null</c> for what is no number.</summary>
    public static double? Number(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        long whole => whole,
        double number => number,
        _ => null,
    };

    public static string FloatText(double number)
    {
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        return double.IsFinite(number) && text.AsSpan().IndexOfAny(".E") < 0 ? text + ".0" : text;
    }

    public static object? Binary(string symbol, object? left, object? right)
    {
        if (Number(left) is not { } a || Number(right) is not { } b)
            throw new TemplateException(0, $"'{symbol}' is not supported between {TemplateOperations.TypeName(left)} and {TemplateOperations.TypeName(right)}");
        if (symbol is "/" or "//" or "%" && b == 0)
            throw new TemplateException(0, "division by zero");
        bool whole = left is not double && right is not double;
        return whole && symbol is not "/" ? Whole(symbol, (long)a, (long)b) : Floating(symbol, a, b);
    }

    public static object? Negate(object? value) => value switch
    {
        double number => (object)-number,
        _ when Number(value) is { } number => -(long)number,
        _ => throw new TemplateException(0, $"'-' is not supported for {TemplateOperations.TypeName(value)}"),
    };

    private static object Whole(string symbol, long a, long b)
    {
        try
        {
            return symbol switch
            {
                "+" => (object)checked(a + b),
                "-" => checked(a - b),
                "*" => checked(a * b),
                "//" => checked((long)Math.Floor((double)a / b)),
                "%" => b == -1 ? 0L : ((a % b) + b) % b,
                _ => b >= 0 ? (object)checked((long)Math.Pow(a, b)) : Math.Pow(a, b),
            };
        }
        catch (OverflowException e)
        {
            throw new TemplateException(0, $"'{symbol}' makes a number that is too large", e);
        }
    }

    private static double Floating(string symbol, double a, double b) => symbol switch
    {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => Math.Floor(a / b),
        "%" => a - (b * Math.Floor(a / b)),
        _ => Math.Pow(a, b),
    };
}
