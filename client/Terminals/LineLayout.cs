using System.Globalization;
using Spectre.Console.Rendering;

namespace KvTiers.Cli.Terminals;

/// <summary>The rows that a text takes on a terminal, and where its cursor stands.</summary>
/// <remarks>
/// A row ends where the text has a line break, or where the next character does not fit; a character that does not fit moves to the next row whole. A text
/// that fills its last row stands with an empty row after it, for the cursor.
/// </remarks>
internal sealed class LineLayout
{
    private const string Tab = "    ";

    private readonly List<(string Text, bool IsBroken)> _rows = [];

    /// <param name="text">Without control characters but <c>\n</c> and tabs.</param>
    /// <param name="cursor">UTF-16 units before the cursor.</param>
    /// <param name="width">Cells in a row.</param>
    public LineLayout(string text, int cursor, int width)
    {
        string row = "";
        int column = 0;
        bool isFull = false;
        void End(bool isBroken)
        {
            _rows.Add((row, isBroken));
            row = "";
            column = 0;
        }

        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
        {
            if (elements.ElementIndex == cursor)
                (CursorRow, CursorColumn) = (_rows.Count, column);
            string element = elements.GetTextElement();
            if (element == "\n")
            {
                // The break that ends a full row is not another row.
                if (isFull)
                    _rows[^1] = (_rows[^1].Text, true);
                else
                    End(true);
                isFull = false;
                continue;
            }

            string shown = element == "\t" ? Tab : element;
            int cells = new Segment(shown).CellCount();
            if (column + cells > width)
                End(false);
            row += shown;
            column += cells;
            isFull = column >= width;
            if (isFull)
                End(false);
        }

        if (cursor >= text.Length)
            (CursorRow, CursorColumn) = (_rows.Count, column);
        _rows.Add((row, false));
    }

    public int RowCount => _rows.Count;

    public int CursorRow { get; }

    public int CursorColumn { get; }

    /// <summary>What a terminal shows as rows <paramref name="first"/> to <paramref name="last"/>: it wraps the full ones by itself.</summary>
    public string Rows(int first, int last) => string.Concat(Enumerable.Range(first, last - first + 1).Select(i =>
        _rows[i].Text + (i < last && (_rows[i].IsBroken || _rows[i + 1].Text.Length == 0) ? "\r\n" : "")));
}
