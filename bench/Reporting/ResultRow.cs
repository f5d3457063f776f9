using System.Globalization;

namespace KvTiers.Bench.Reporting;

/// <summary>One row of a <see cref="ResultTable"/>.</summary>
internal sealed class ResultRow(ResultTable table, string[] values)
{
    /// <summary>A value as it stands.</summary>
    public string this[string column] => values[table.ColumnOf(column)];

    /// <summary>A value as a number.</summary>
    public double Number(string column) => double.Parse(this[column], CultureInfo.InvariantCulture);
}
