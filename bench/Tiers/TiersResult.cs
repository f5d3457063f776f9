using KvTiers.Bench.Reporting;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Tiers;

/// <summary>The rows of <c>tiers</c>, and one plot for each tier: bytes a second over block size, beside the limit.</summary>
internal sealed class TiersResult(DirectoryInfo? folder) : IDisposable
{
    private readonly ResultFile _file = ResultFile.Create(
        folder, "tiers", "tier", "operation", "encoding", "block_kib", "depth", "gb_s", "p50_us", "p99_us",
        "limit", "limit_gb_s", "limit_p50_us", "limit_p99_us", "ratio", "median_ratio");

    private readonly List<(string Tier, string Series, bool IsLimit, double X, double Y)> _points = [];

    public void Add(string tier, string operation, BlockEncoding encoding, int blockBytes, int depth, string limit, Duel duel)
    {
        double kib = blockBytes / 1024.0;
        _file.Add(
            tier, operation, NameOf(encoding), (int)kib, depth, duel.Load.BytesPerSecond / 1e9, duel.Load.Microseconds(50), duel.Load.Microseconds(99),
            limit, duel.Limit.BytesPerSecond / 1e9, duel.Limit.Microseconds(50), duel.Limit.Microseconds(99), duel.Ratio, duel.MedianRatio);
        if (encoding == BlockEncoding.Hot || tier is "codec" or "ram")
        {
            string at = tier is "disk" or "redis" ? $" × {depth}" : encoding == BlockEncoding.Hot ? "" : ", " + NameOf(encoding);
            _points.Add((tier, operation + at, false, kib, duel.Load.BytesPerSecond / 1e9));
        }

        if (encoding == BlockEncoding.Hot)
        {
            string at = tier is "disk" or "redis" ? $", {operation} × {depth}" : "";
            _points.Add((tier, limit + at, true, kib, duel.Limit.BytesPerSecond / 1e9));
        }
    }

    public void SavePlots()
    {
        foreach (var tier in folder is null ? [] : _points.GroupBy(point => point.Tier))
        {
            var plot = new SvgPlot { Title = $"{tier.Key}: bytes a second over block size", XLabel = "block (KiB)", YLabel = "GB/s", LogarithmicX = true };
            foreach (var series in tier.GroupBy(point => (point.Series, point.IsLimit)).OrderBy(series => series.Key.IsLimit))
            {
                (double X, double Y)[] points = [.. series.GroupBy(point => point.X).Select(at => (at.Key, at.Average(point => point.Y))).OrderBy(point => point.Key)];
                plot.Add(new SvgSeries(series.Key.Series, points, series.Key.IsLimit));
            }

            plot.Save(Path.Combine(folder!.FullName, $"tiers-{tier.Key}.svg"));
        }
    }

    public void Dispose() => _file.Dispose();

    public static string NameOf(BlockEncoding encoding) => encoding switch
    {
        BlockEncoding.Hot => "bf16",
        BlockEncoding.Float8E4M3 => "fp8",
        _ => encoding.ToString().ToLowerInvariant(),
    };
}
