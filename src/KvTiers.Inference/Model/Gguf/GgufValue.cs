namespace KvTiers.Inference.Model.Gguf;

/// <summary>One value of a GGUF file's metadata; what it is asked for as and is not is an error that names file, key and rule.</summary>
/// <param name="path">The file.</param>
/// <param name="key">The key.</param>
/// <param name="elementType">The type of its entries, of a list.</param>
/// <param name="value">Whole numbers as <see cref="long"/>, others as <see cref="double"/>, lists as arrays.</param>
internal sealed class GgufValue(string path, string key, GgufValueType? elementType, object value)
{
    /// <summary>The value as an error shows it.</summary>
    public string Shown => value switch
    {
        Array list => $"a list of {list.Length} entries of type {elementType}",
        string { Length: > 80 } text => $"a text of {text.Length} characters",
        string text => $"the text '{text}'",
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    /// <summary>A whole number in a range.</summary>
    public int Int(int least, int most) => value is long number && number >= least && number <= most
        ? (int)number
        : throw Fault($"is {Shown} but must be a whole number from {least} to {most}.");

    /// <summary>A finite number.</summary>
    public double Number() => value switch
    {
        double number when double.IsFinite(number) => number,
        long number => number,
        _ => throw Fault($"is {Shown} but must be a number."),
    };

    /// <summary>True or false.</summary>
    public bool Flag() => value is bool flag ? flag : throw Fault($"is {Shown} but must be true or false.");

    /// <summary>A text.</summary>
    public string Text() => value as string ?? throw Fault($"is {Shown} but must be a text.");

    /// <summary>A list of texts.</summary>
    public string[] Texts() => value as string[] ?? throw Fault($"is {Shown} but must be a list of texts.");

    /// <summary>A list of whole numbers of 32 bits.</summary>
    public int[] Ints() => value as int[] ?? throw Fault($"is {Shown} but must be a list of whole numbers.");

    /// <summary>A fault of this value.</summary>
    public ModelFormatException Fault(string rule) => new(path, key, rule);
}
