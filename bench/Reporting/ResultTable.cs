namespace KvTiers.Bench.Reporting;

/// <summary>The rows of a <see cref="ResultFile"/>, read back.</summary>
internal sealed class ResultTable
{
    private readonly string[] _columns;

    private ResultTable(string commit, string[] columns, IReadOnlyList<ResultRow> rows)
    {
        Commit = commit;
        _columns = columns;
        Rows = rows;
    }

    /// <summary>The commit that was measured.</summary>
    public string Commit { get; }

    /// <summary>The rows, in the file's order.</summary>
    public IReadOnlyList<ResultRow> Rows { get; }

    /// <summary>Reads a file's text.</summary>
    /// <exception cref="FormatException">It has no header, or a row has another number of values; the message names the line.</exception>
    public static ResultTable Parse(string text)
    {
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string commit = lines.FirstOrDefault(line => line.StartsWith("# commit ", StringComparison.Ordinal))?["# commit ".Length..] ?? "unknown";
        string[] table = [.. lines.Where(line => line[0] != '#')];
        if (table.Length == 0)
            throw new FormatException("A result has a line of column names; this has none.");

        string[] columns = Split(table[0]);
        var rows = new List<ResultRow>();
        var result = new ResultTable(commit, columns, rows);
        foreach (string line in table.Skip(1))
        {
            string[] values = Split(line);
            if (values.Length != columns.Length)
                throw new FormatException($"A row has {columns.Length} values; this has {values.Length}: {line}");

            rows.Add(new ResultRow(result, values));
        }

        return result;
    }

    /// <summary>Where a column stands.</summary>
    /// <exception cref="FormatException">There is no such column.</exception>
    public int ColumnOf(string name) => Array.IndexOf(_columns, name) is >= 0 and int at ? at : throw new FormatException($"There is no column '{name}'.");

    // A value with a comma stands in quotation marks, and has none itself.
    private static string[] Split(string line)
    {
        var values = new List<string>();
        for (int start = 0; start <= line.Length;)
        {
            bool quoted = start < line.Length && line[start] == '"';
            int end = quoted ? line.IndexOf('"', start + 1) : line.IndexOf(',', start);
            if (end < 0)
                end = line.Length;

            values.Add(quoted ? line[(start + 1)..end] : line[start..end]);
            start = quoted ? end + 2 : end + 1;
        }

        return [.. values];
    }
}
