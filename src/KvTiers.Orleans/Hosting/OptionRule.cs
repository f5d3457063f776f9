namespace KvTiers.Orleans.Hosting;

/// <summary>The rules that options of several types have in common.</summary>
internal static class OptionRule
{
    public const string Name = "1 to 64 of the characters A-Z a-z 0-9 . _ -";

    public static bool IsName(string? text) => text is { Length: > 0 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <exception cref="ArgumentException">The rule does not hold; names the property, its value and the rule.</exception>
    public static void Check(bool holds, string property, object? value, string rule)
    {
        if (!holds)
            throw new ArgumentException(FormattableString.Invariant($"{property} is {value}; it must be {rule}."), property);
    }
}
