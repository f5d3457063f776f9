using System.Globalization;
using System.Text.RegularExpressions;

namespace KvTiers.Silo.Tests.Operations;

/// <summary>A strict reader of Prometheus' text format: every line must be a HELP, a TYPE or a sample that belongs to the last TYPE.</summary>
internal static partial class PrometheusParser
{
    /// <summary>Sample name and labels → value. Throws <see cref="FormatException"/> at the first line that is wrong.</summary>
    public static IReadOnlyDictionary<string, double> Parse(string text)
    {
        Assert.EndsWith("\n", text);
        var samples = new Dictionary<string, double>();
        var types = new Dictionary<string, string>();
        string family = "";
        foreach (string line in text.Split('\n')[..^1])
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                if (!Help().IsMatch(line)) throw new FormatException($"Not a HELP line: {line}");
                continue;
            }

            if (TypeLine().Match(line) is { Success: true } type)
            {
                family = type.Groups["name"].Value;
                if (!types.TryAdd(family, type.Groups["type"].Value)) throw new FormatException($"A second TYPE of {family}");
                continue;
            }

            Match sample = Sample().Match(line);
            if (!sample.Success) throw new FormatException($"Not a sample: {line}");
            string name = sample.Groups["name"].Value;
            string[] allowed = types.GetValueOrDefault(family) == "histogram" ? [family + "_bucket", family + "_sum", family + "_count"] : [family];
            if (!allowed.Contains(name)) throw new FormatException($"{name} stands under TYPE {family}");
            if (types[family] == "counter" && !name.EndsWith("_total", StringComparison.Ordinal)) throw new FormatException($"The counter {name} does not end in _total");
            string labels = sample.Groups["labels"].Value;
            if (!samples.TryAdd(labels.Length == 0 ? name : $"{name}{{{labels}}}", Value(sample.Groups["value"].Value)))
                throw new FormatException($"A second sample: {line}");
        }

        return samples;
    }

    private static double Value(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex(@"^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* ([^\\]|\\\\|\\n)*$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<type>counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*")*)\})? (?<value>\+Inf|-Inf|NaN|-?[0-9.]+(E[+-]?[0-9]+)?)$""")]
    private static partial Regex Sample();
}
