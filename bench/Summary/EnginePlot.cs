using System.Globalization;
using System.Text;
using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Summary;

/// <summary>The engine's fractions of the machine's limits as bars, as a self-contained SVG.</summary>
internal static class EnginePlot
{
    private const int Width = 720, Left = 210, Right = 60, Top = 40, RowHeight = 22;

    /// <summary>The plot of <c>engine.csv</c>.</summary>
    public static string Of(ResultTable engine)
    {
        double most = Math.Max(1, engine.Rows.Max(row => row.Number("of_limit")));
        double unit = (Width - Left - Right) / most;
        int bottom = Top + (RowHeight * engine.Rows.Count);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {bottom + 30}" font-family="sans-serif" font-size="12">
            <rect width="{Width}" height="{bottom + 30}" fill="#ffffff"/>
            <text x="12" y="22" font-size="15" font-weight="bold" fill="#111827">The engine as fractions of memory bandwidth and multiply-adds</text>

            """);
        foreach ((int i, ResultRow row) in engine.Rows.Index())
        {
            double fraction = row.Number("of_limit");
            int y = Top + (RowHeight * i);
            svg.Append(CultureInfo.InvariantCulture, $"""
                <text x="{Left - 8}" y="{y + 14}" text-anchor="end" fill="#374151">{row["what"]}, {row["weights"].ToLowerInvariant()}</text>
                <rect x="{Left}" y="{y + 3}" width="{fraction * unit:F1}" height="{RowHeight - 6}" fill="{(row["unit"] == "GB/s" ? "#2563eb" : "#059669")}"/>
                <text x="{Left + (fraction * unit) + 5:F1}" y="{y + 14}" fill="#111827">{100 * fraction:F0} %</text>

                """);
        }

        svg.Append(CultureInfo.InvariantCulture, $"""
            <line x1="{Left + unit:F1}" x2="{Left + unit:F1}" y1="{Top}" y2="{bottom}" stroke="#dc2626" stroke-dasharray="4 3"/>
            <text x="{Left}" y="{bottom + 18}" fill="#2563eb">of memory bandwidth</text>
            <text x="{Left + 140}" y="{bottom + 18}" fill="#059669">of f32 multiply-adds</text>
            <text x="{Left + 280}" y="{bottom + 18}" fill="#dc2626">the limit</text>
            </svg>

            """);
        return svg.ToString();
    }
}
