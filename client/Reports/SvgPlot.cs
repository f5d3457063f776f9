using System.Globalization;
using System.Text;

namespace KvTiers.Cli.Reports;

/// <summary>One line of a plot: points (x, y) in ascending x. A single point is a dot.</summary>
internal sealed record SvgSeries(string Name, IReadOnlyList<(double X, double Y)> Points, bool Dashed = false);

/// <summary>A line chart as a self-contained SVG, readable on light and dark pages.</summary>
internal sealed class SvgPlot
{
    private const int Width = 720, Height = 400, Left = 70, Right = 190, Top = 40, Bottom = 50;

    private static readonly string[] Colours = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f"];

    private readonly List<SvgSeries> _series = [];

    public required string Title { get; init; }

    public required string XLabel { get; init; }

    public required string YLabel { get; init; }

    /// <summary>Whether the x axis is logarithmic; its points must then be above 0.</summary>
    public bool LogarithmicX { get; init; }

    public void Add(SvgSeries series) => _series.Add(series);

    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, ToString());
    }

    public override string ToString()
    {
        (double X, double Y)[] all = [.. _series.SelectMany(series => series.Points)];
        double minX = all.Min(p => Scale(p.X)), maxX = all.Max(p => Scale(p.X));
        double top = NiceCeiling(all.Max(p => p.Y));
        double X(double value) => Left + ((Scale(value) - minX) / Math.Max(maxX - minX, 1e-12) * (Width - Left - Right));
        double Y(double value) => Height - Bottom - (value / top * (Height - Top - Bottom));

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">
            <rect width="{Width}" height="{Height}" fill="#ffffff"/>
            <text x="{Left}" y="22" font-size="15" font-weight="bold" fill="#111827">{Escape(Title)}</text>
            <text x="{(Left + Width - Right) / 2}" y="{Height - 10}" text-anchor="middle" fill="#374151">{Escape(XLabel)}</text>
            <text x="16" y="{(Top + Height - Bottom) / 2}" text-anchor="middle" fill="#374151" transform="rotate(-90 16 {(Top + Height - Bottom) / 2})">{Escape(YLabel)}</text>

            """);
        for (int i = 0; i <= 5; i++)
        {
            double value = top * i / 5;
            svg.Append(CultureInfo.InvariantCulture, $"""
                <line x1="{Left}" x2="{Width - Right}" y1="{Y(value):F1}" y2="{Y(value):F1}" stroke="#e5e7eb"/>
                <text x="{Left - 6}" y="{Y(value) + 4:F1}" text-anchor="end" fill="#374151">{Short(value)}</text>

                """);
        }

        foreach (double tick in Ticks(all))
        {
            svg.Append(CultureInfo.InvariantCulture, $"""
                <line x1="{X(tick):F1}" x2="{X(tick):F1}" y1="{Height - Bottom}" y2="{Height - Bottom + 4}" stroke="#9ca3af"/>
                <text x="{X(tick):F1}" y="{Height - Bottom + 18}" text-anchor="middle" fill="#374151">{Short(tick)}</text>

                """);
        }

        for (int i = 0; i < _series.Count; i++)
        {
            SvgSeries series = _series[i];
            string colour = Colours[i % Colours.Length];
            string points = string.Join(' ', series.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):F1},{Y(p.Y):F1}")));
            string dash = series.Dashed ? " stroke-dasharray=\"6 4\"" : "";
            string mark = series.Points is [var only]
                ? string.Create(CultureInfo.InvariantCulture, $"<circle cx=\"{X(only.X):F1}\" cy=\"{Y(only.Y):F1}\" r=\"5\" fill=\"{colour}\"/>")
                : $"<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>";
            svg.Append(CultureInfo.InvariantCulture, $"""
                {mark}
                <text x="{Width - Right + 12}" y="{Top + 14 + (18 * i)}" fill="{colour}">{Escape(series.Name)}</text>

                """);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private double Scale(double x) => LogarithmicX ? Math.Log10(x) : x;

    private static IEnumerable<double> Ticks((double X, double Y)[] points)
    {
        double[] xs = [.. points.Select(p => p.X).Distinct().Order()];
        int step = Math.Max(1, (xs.Length + 7) / 8);
        return xs.Where((_, index) => index % step == 0);
    }

    private static double NiceCeiling(double value)
    {
        if (value <= 0)
            return 1;

        double power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return new[] { 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 }.First(step => step * power >= value * 0.9999) * power;
    }

    private static string Short(double value) => Math.Abs(value) switch
    {
        >= 1e6 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M",
        >= 1e3 => (value / 1e3).ToString("0.##", CultureInfo.InvariantCulture) + "k",
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private static string Escape(string text) => System.Security.SecurityElement.Escape(text);
}
