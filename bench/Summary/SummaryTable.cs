using System.Text;
using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Summary;

/// <summary>The summary of all committed results, as a Markdown table between two markers of a page.</summary>
internal static class SummaryTable
{
    /// <summary>The line before the table.</summary>
    public const string Begin = "<!-- summary: written by `bench -- summary` from bench/results -->";

    /// <summary>The line after it.</summary>
    public const string End = "<!-- end of summary -->";

    /// <summary>The table of a folder's results. A result that is not there has no lines.</summary>
    public static string Of(DirectoryInfo results)
    {
        var table = new StringBuilder();
        table.Append("| figure | measured | limit or baseline | fraction | command | commit |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach ((string name, Func<ResultTable, IEnumerable<SummaryLine>> lines) in SummaryFigures.All)
        {
            var file = new FileInfo(Path.Combine(results.FullName, name + ".csv"));
            if (!file.Exists)
                continue;

            ResultTable result = ResultTable.Parse(File.ReadAllText(file.FullName));
            foreach (SummaryLine line in lines(result))
                table.Append($"| {line.Figure} | {line.Measured} | {line.Beside} | {line.Fraction} | `{name}` | {result.Commit} |\n");
        }

        return table.ToString();
    }

    /// <summary>A page with the table in the place of what stands between the markers.</summary>
    /// <exception cref="FormatException">The page lacks a marker.</exception>
    public static string PutInto(string page, string table)
    {
        int begin = page.IndexOf(Begin, StringComparison.Ordinal), end = page.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
            throw new FormatException($"The page has no lines '{Begin}' and '{End}' in this order.");

        return $"{page[..(begin + Begin.Length)]}\n\n{table}\n{page[end..]}";
    }
}
