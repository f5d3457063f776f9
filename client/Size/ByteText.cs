using System.Globalization;

namespace KvTiers.Cli.Size;

/// <summary>Bytes as a person reads them.</summary>
internal static class ByteText
{
    private static readonly string[] DecimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB"];

    /// <summary>Three significant digits in decimal units: <c>2.62 MB</c>, <c>262 GB</c>.</summary>
    public static string Decimal(decimal bytes)
    {
        int unit = 0;
        // 999.5 would print as 1000: it belongs to the next unit.
        while (bytes >= 999.5m && unit < DecimalUnits.Length - 1)
        {
            bytes /= 1000;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{ThreeDigits(bytes)} {DecimalUnits[unit]}");
    }

    /// <summary>As a server's size flag, rounded up to a whole unit of at least two digits: <c>512MiB</c>, <c>24GiB</c>.</summary>
    public static string Flag(decimal bytes)
    {
        (decimal size, string unit) = bytes >= 10m * (1L << 30) ? (1L << 30, "GiB") : (1 << 20, "MiB");
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, Math.Ceiling(bytes / size))}{unit}");
    }

    /// <summary>As Redis reads its <c>maxmemory</c>, rounded up: <c>512mb</c>, <c>24gb</c> (powers of two).</summary>
    public static string RedisFlag(decimal bytes) => Flag(bytes).Replace("MiB", "mb").Replace("GiB", "gb");

    private static string ThreeDigits(decimal value) => value switch
    {
        >= 99.95m => value.ToString("0", CultureInfo.InvariantCulture),
        >= 9.995m => value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
