using System.Globalization;

namespace KvTiers.Silo.Configuration;

/// <summary>Sizes as people write them: <c>512MiB</c>, <c>1.5GiB</c>, <c>4096</c> (bytes).</summary>
/// <remarks>KiB, MiB, GiB, TiB are powers of 1,024; KB, MB, GB, TB powers of 1,000. Letter case and a space before the unit do not matter.</remarks>
internal static class ByteSize
{
    private static readonly (string Unit, decimal Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("KB", 1_000L), ("MB", 1_000_000L), ("GB", 1_000_000_000L), ("TB", 1_000_000_000_000L),
        ("B", 1L),
    ];

    /// <summary>Reads a size; a fraction of a byte is dropped.</summary>
    /// <returns>False when the text is no size, is negative, or exceeds what a 64-bit integer holds.</returns>
    public static bool TryParse(string text, out long bytes)
    {
        string number = text.Trim();
        decimal scale = 1;
        foreach ((string unit, decimal unitBytes) in Units)
        {
            if (!number.EndsWith(unit, StringComparison.OrdinalIgnoreCase)) continue;
            number = number[..^unit.Length].TrimEnd();
            scale = unitBytes;
            break;
        }

        bytes = 0;
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)) return false;
        if (value > long.MaxValue / scale) return false;
        bytes = (long)(value * scale);
        return true;
    }

    /// <summary>The size in its largest binary unit that keeps it at or above one, with at most one decimal: <c>1.5 GiB</c>.</summary>
    public static string Format(long bytes)
    {
        for (int i = 3; i >= 0; i--)
        {
            if (bytes >= Units[i].Bytes)
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / Units[i].Bytes:0.#} {Units[i].Unit}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
    }
}
