using System.Globalization;
using System.Text;

namespace KvTiers.Cli.Terminals;

/// <summary>Reads lines from the keyboard: cursor keys, the usual Ctrl keys, Tab, pastes, and a history of the lines entered before.</summary>
/// <remarks>
/// What was pasted stays as it is, its line breaks too, and is entered with the Enter key alone. The text may take several rows; after each key it is drawn
/// again, those of its rows that the terminal has room for.
/// </remarks>
internal sealed class LineEditor(Keyboard keyboard, TextWriter output, ICompleter? completer = null)
{
    private readonly PasteReader _keys = new(keyboard);
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
            if (await _keys.ReadAsync(cancellationToken).ConfigureAwait(false) is not var (key, pasted))
                return Leave(LineEnd.EndOfInput);
            if (pasted is not null)
            {
                _line.Insert(pasted);
                Draw();
                continue;
            }

            if (Keyboard.IsInterrupt(key))
                return Leave(LineEnd.Interrupted);
            if (key.Key == ConsoleKey.Enter || key.KeyChar is '\r' or '\n')
                return Enter();
            if (IsControl(key, ConsoleKey.D) && _line.Length == 0)
                return Leave(LineEnd.EndOfInput);
            if (key.Key == ConsoleKey.Tab)
                await CompleteAsync(cancellationToken).ConfigureAwait(false);
            else
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
        _line.MoveToEndOfText();
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
                if (!_line.TryMoveUp())
                    Recall(_historyIndex - 1);
                break;
            case { Key: ConsoleKey.DownArrow } or { Key: ConsoleKey.N, Modifiers: ConsoleModifiers.Control }:
                if (!_line.TryMoveDown())
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

    private async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (completer is null)
            return;
        string before = _line.Text[.._line.Cursor];
        string word = before[(before.LastIndexOfAny([' ', '\t', '\n']) + 1)..];
        IReadOnlyList<string> words = await completer.CompleteAsync(before, cancellationToken).ConfigureAwait(false);
        if (words.Count == 0)
            return;
        string common = words.Aggregate((one, other) => one[..one.AsSpan().CommonPrefixLength(other)]);
        if (words.Count > 1 && common.Length == word.Length)
            WriteBelow(string.Join("  ", words));
        _line.Insert(common[word.Length..] + (words.Count == 1 ? " " : ""));
        Draw();
    }

    // The line is drawn anew under it.
    private void WriteBelow(string text)
    {
        int cursor = _line.Cursor;
        _line.MoveToEndOfText();
        Draw();
        output.Write($"\r\n{text}\r\n");
        _line.MoveTo(cursor);
        _row = 0;
    }

    private void Draw()
    {
        var layout = new LineLayout(_prompt + _line.Text, _prompt.Length + _line.Cursor, keyboard.Width);
        // The last rows that fit, or those from the cursor's on.
        int top = Math.Clamp(layout.RowCount - keyboard.Height, 0, layout.CursorRow);
        int bottom = Math.Min(top + keyboard.Height, layout.RowCount) - 1;

        var drawing = new StringBuilder();
        if (_row > 0)
            drawing.Append(CultureInfo.InvariantCulture, $"\u001b[{_row}A");
        drawing.Append("\r\u001b[J").Append(layout.Rows(top, bottom));
        if (bottom > layout.CursorRow)
            drawing.Append(CultureInfo.InvariantCulture, $"\u001b[{bottom - layout.CursorRow}A");
        drawing.Append('\r');
        if (layout.CursorColumn > 0)
            drawing.Append(CultureInfo.InvariantCulture, $"\u001b[{layout.CursorColumn}C");
        output.Write(drawing.ToString());
        output.Flush();
        _row = layout.CursorRow - top;
    }

    private static bool IsControl(ConsoleKeyInfo key, ConsoleKey letter) => key.Key == letter && key.Modifiers == ConsoleModifiers.Control;
}
