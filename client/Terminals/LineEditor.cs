using System.Globalization;
using System.Text;
using Spectre.Console.Rendering;

namespace KvTiers.Cli.Terminals;

/// <summary>Reads lines from the keyboard: cursor keys, the usual Ctrl keys, and a history of the lines entered before.</summary>
/// <remarks>The line may wrap over several rows; after each key that changes more than the end it is drawn again from its first row.</remarks>
internal sealed class LineEditor(Keyboard keyboard, TextWriter output)
{
    private readonly List<string> _history = [];
    private readonly LineBuffer _line = new();
    private string _prompt = "";
    private int _historyIndex;
    private string _draft = "";

    // The cursor's row, counted from the prompt's, as it was drawn last.
    private int _row;

    /// <summary>Reads one line; <paramref name="prompt"/> is plain text without escape codes.</summary>
    public async Task<LineRead> ReadAsync(string prompt, CancellationToken cancellationToken)
    {
        _prompt = prompt;
        _line.Set("");
        _historyIndex = _history.Count;
        _row = 0;
        Draw();
        while (true)
        {
            if (await keyboard.ReadAsync(cancellationToken).ConfigureAwait(false) is not { } key)
                return Leave(LineEnd.EndOfInput);
            if (Keyboard.IsInterrupt(key))
                return Leave(LineEnd.Interrupted);
            if (key.Key == ConsoleKey.Enter || key.KeyChar is '\r' or '\n')
                return Enter();
            if (IsControl(key, ConsoleKey.D) && _line.Length == 0)
                return Leave(LineEnd.EndOfInput);
            Apply(key);
        }
    }

    private LineRead Enter()
    {
        string text = _line.Text;
        if (text.Length > 0 && (_history.Count == 0 || _history[^1] != text))
            _history.Add(text);
        Leave(LineEnd.Entered);
        return new LineRead(LineEnd.Entered, text);
    }

    private LineRead Leave(LineEnd end)
    {
        _line.MoveEnd();
        Draw();
        output.Write("\r\n");
        output.Flush();
        return new LineRead(end);
    }

    private void Apply(ConsoleKeyInfo key)
    {
        switch (key)
        {
            case { Key: ConsoleKey.Backspace } or { Key: ConsoleKey.H, Modifiers: ConsoleModifiers.Control }:
                _line.DeleteLeft();
                break;
            case { Key: ConsoleKey.Delete } or { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control }:
                _line.DeleteRight();
                break;
            case { Key: ConsoleKey.LeftArrow } or { Key: ConsoleKey.B, Modifiers: ConsoleModifiers.Control }:
                _line.MoveLeft();
                break;
            case { Key: ConsoleKey.RightArrow } or { Key: ConsoleKey.F, Modifiers: ConsoleModifiers.Control }:
                _line.MoveRight();
                break;
            case { Key: ConsoleKey.Home } or { Key: ConsoleKey.A, Modifiers: ConsoleModifiers.Control }:
                _line.MoveHome();
                break;
            case { Key: ConsoleKey.End } or { Key: ConsoleKey.E, Modifiers: ConsoleModifiers.Control }:
                _line.MoveEnd();
                break;
            case { Key: ConsoleKey.UpArrow } or { Key: ConsoleKey.P, Modifiers: ConsoleModifiers.Control }:
                Recall(_historyIndex - 1);
                break;
            case { Key: ConsoleKey.DownArrow } or { Key: ConsoleKey.N, Modifiers: ConsoleModifiers.Control }:
                Recall(_historyIndex + 1);
                break;
            case { Key: ConsoleKey.K, Modifiers: ConsoleModifiers.Control }:
                _line.DeleteToEnd();
                break;
            case { Key: ConsoleKey.U, Modifiers: ConsoleModifiers.Control }:
                _line.DeleteToStart();
                break;
            case { Key: ConsoleKey.W, Modifiers: ConsoleModifiers.Control }:
                _line.DeleteWord();
                break;
            case { Key: ConsoleKey.L, Modifiers: ConsoleModifiers.Control }:
                output.Write("\u001b[2J\u001b[H");
                _row = 0;
                break;
            default:
                if (char.IsControl(key.KeyChar))
                    return;
                _line.Insert(key.KeyChar);
                break;
        }

        Draw();
    }

    private void Recall(int index)
    {
        if (index < 0 || index > _history.Count)
            return;
        if (_historyIndex == _history.Count)
            _draft = _line.Text;
        _historyIndex = index;
        _line.Set(index == _history.Count ? _draft : _history[index]);
    }

    private void Draw()
    {
        int width = keyboard.Width;
        string text = _line.Text;
        (int cursorRow, int cursorColumn) = Place(_prompt + text[.._line.Cursor], width);
        (int endRow, int endColumn) = Place(_prompt + text, width);

        var drawing = new StringBuilder();
        if (_row > 0)
            drawing.Append(CultureInfo.InvariantCulture, $"\u001b[{_row}A");
        drawing.Append("\r\u001b[J").Append(_prompt).Append(text);
        // A terminal wraps only when the next character comes: force it, so that rows are as counted.
        if (endColumn == 0 && endRow > 0)
            drawing.Append("\r\n");
        if (endRow > cursorRow)
            drawing.Append(CultureInfo.InvariantCulture, $"\u001b[{endRow - cursorRow}A");
        drawing.Append('\r');
        if (cursorColumn > 0)
            drawing.Append(CultureInfo.InvariantCulture, $"\u001b[{cursorColumn}C");
        output.Write(drawing.ToString());
        output.Flush();
        _row = cursorRow;
    }

    // Where the cursor stands after the text, from the first row's start. A character that does not fit moves to the next row whole.
    private static (int Row, int Column) Place(string text, int width)
    {
        int row = 0, column = 0;
        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
        {
            int cells = new Segment(elements.GetTextElement()).CellCount();
            if (column + cells > width)
            {
                row++;
                column = 0;
            }

            column += cells;
            if (column == width)
            {
                row++;
                column = 0;
            }
        }

        return (row, column);
    }

    private static bool IsControl(ConsoleKeyInfo key, ConsoleKey letter) => key.Key == letter && key.Modifiers == ConsoleModifiers.Control;
}
