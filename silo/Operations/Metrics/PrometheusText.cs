using System.Globalization;
using System.Text;

namespace KvTiers.Silo.Operations.Metrics;

/// <summary>Prometheus' text exposition format, version 0.0.4.</summary>
internal static class PrometheusText
{
    /// <summary>Content type of the format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>An instrument's name in Prometheus: <c>kvtiers.cache.read</c> in <c>By</c>, counting, is <c>kvtiers_cache_read_bytes_total</c>.</summary>
    /// <remarks>Units in braces, such as <c>{block}</c>, only annotate and are left out.</remarks>
    public static string NameOf(string instrument, string? unit, MetricKind kind)
    {
        var name = new StringBuilder(instrument.Length);
        foreach (char c in instrument) name.Append(char.IsAsciiLetterOrDigit(c) || c is '_' or ':' ? c : '_');
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) name.Insert(0, '_');

        string suffix = unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            "By/s" => "_bytes_per_second",
            "1" when kind == MetricKind.Gauge => "_ratio",
            _ => "",
        };
        AppendMissing(name, suffix);
        if (kind == MetricKind.Counter) AppendMissing(name, "_total");
        return name.ToString();
    }

    /// <summary>Tags as labels, sorted by name and escaped: <c>a="x",b="y"</c>.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty) return "";
        IEnumerable<string> labels = tags.ToArray()
            .Select(tag => (Name: NameOf(tag.Key, null, MetricKind.Gauge).Replace(':', '_'), Value: Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? ""))
            .OrderBy(label => label.Name, StringComparer.Ordinal)
            .Select(label => $"{label.Name}=\"{Escape(label.Value).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
        return string.Join(',', labels);
    }

    /// <summary>The families as text.</summary>
    public static string Write(IReadOnlyList<MetricFamily> families)
    {
        var text = new StringBuilder();
        foreach (MetricFamily family in families)
        {
            if (family.Description.Length > 0) text.Append("# HELP ").Append(family.Name).Append(' ').Append(Escape(family.Description)).Append('\n');
            text.Append("# TYPE ").Append(family.Name).Append(' ').Append(family.Kind.ToString().ToLowerInvariant()).Append('\n');
            foreach (MetricSample sample in family.Samples)
            {
                if (sample.BucketCounts is null) Line(text, family.Name, "", sample.Labels, "", sample.Value);
                else WriteHistogram(text, family.Name, sample);
            }
        }

        return text.ToString();
    }

    private static void WriteHistogram(StringBuilder text, string name, MetricSample sample)
    {
        long count = 0;
        for (int i = 0; i < sample.BucketCounts!.Length; i++)
        {
            count += sample.BucketCounts[i];
            string bound = i < sample.Bounds!.Length ? Number(sample.Bounds[i]) : "+Inf";
            Line(text, name, "_bucket", sample.Labels, $"le=\"{bound}\"", count);
        }

        Line(text, name, "_sum", sample.Labels, "", sample.Value);
        Line(text, name, "_count", sample.Labels, "", count);
    }

    private static void Line(StringBuilder text, string name, string suffix, string labels, string bound, double value)
    {
        text.Append(name).Append(suffix);
        if (labels.Length + bound.Length > 0)
        {
            text.Append('{').Append(labels);
            if (labels.Length > 0 && bound.Length > 0) text.Append(',');
            text.Append(bound).Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static void AppendMissing(StringBuilder name, string suffix)
    {
        if (suffix.Length > 0 && !name.ToString().EndsWith(suffix, StringComparison.Ordinal)) name.Append(suffix);
    }
}
