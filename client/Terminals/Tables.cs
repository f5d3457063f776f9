using Spectre.Console;

namespace KvTiers.Cli.Terminals;

/// <summary>Tables without lines, that read the same on a terminal and in a file.</summary>
internal static class Tables
{
    /// <param name="columns">Headers; one that begins with <c>&gt;</c> heads a column of numbers, set to the right.</param>
    public static Table Create(params ReadOnlySpan<string> columns)
    {
        Table table = new Table().Border(TableBorder.None);
        foreach (string header in columns)
        {
            bool number = header.StartsWith('>');
            TableColumn column = new TableColumn($"[bold]{Markup.Escape(header.TrimStart('>'))}[/]").Padding(0, 0, 3, 0).NoWrap();
            table.AddColumn(number ? column.RightAligned() : column);
        }

        return table;
    }
}
