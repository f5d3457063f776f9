using System.Globalization;
using System.Numerics;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>A number of JSON, exactly: <paramref name="Unscaled"/> / 10^<paramref name="Scale"/>, without zeros at its end.</summary>
internal readonly record struct DecimalNumber(BigInteger Unscaled, int Scale) : IComparable<DecimalNumber>
{
    private const int MaxDigits = 400;

    public bool IsWhole => Scale == 0;

    public BigInteger Floor => BigInteger.Divide(Unscaled - (Unscaled.Sign < 0 ? BigInteger.Pow(10, Scale) - 1 : 0), BigInteger.Pow(10, Scale));

    public BigInteger Ceiling => -(-this).Floor;

    /// <summary>Of a number that is not negative: its digits behind the point.</summary>
    public string FractionDigits => Scale == 0 ? "" : (Unscaled % BigInteger.Pow(10, Scale)).ToString(CultureInfo.InvariantCulture).PadLeft(Scale, '0');

    public static DecimalNumber operator -(DecimalNumber number) => new(-number.Unscaled, number.Scale);

    /// <summary>Reads a number as JSON writes it.</summary>
    /// <exception cref="ConstraintException">It has more than 400 digits.</exception>
    public static DecimalNumber Parse(string text)
    {
        int mark = text.IndexOfAny(['e', 'E']);
        string mantissa = mark < 0 ? text : text[..mark];
        if (!int.TryParse(mark < 0 ? "0" : text[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int exponent)
            || Math.Abs((long)exponent) + mantissa.Length > MaxDigits)
            throw new ConstraintException($"The number {(text.Length > 50 ? text[..50] + "…" : text)} has more than {MaxDigits} digits.");
        int point = mantissa.IndexOf('.');
        int scale = (point < 0 ? 0 : mantissa.Length - point - 1) - exponent;
        var unscaled = BigInteger.Parse(mantissa.Replace(".", ""), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        for (; scale < 0; scale++)
            unscaled *= 10;
        for (; scale > 0 && unscaled % 10 == 0; scale--)
            unscaled /= 10;
        return new DecimalNumber(unscaled, scale);
    }

    public int CompareTo(DecimalNumber other) =>
        (Unscaled * BigInteger.Pow(10, other.Scale)).CompareTo(other.Unscaled * BigInteger.Pow(10, Scale));
}
