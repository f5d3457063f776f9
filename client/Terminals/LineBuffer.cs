using System.Globalization;
using System.Text;

namespace KvTiers.Cli.Terminals;

/// <summary>A text being edited, most often of one line. The cursor stands between characters as a reader sees them (grapheme clusters), never inside one.</summary>
internal sealed class LineBuffer
{
    private readonly StringBuilder _text = new();

    public string Text => _text.ToString();

    /// <summary>UTF-16 units before the cursor.</summary>
    public int Cursor { get; private set; }

    public int Length => _text.Length;

    public void Set(string text)
    {
        _text.Clear().Append(text);
        Cursor = text.Length;
    }

    public void Insert(char character)
    {
        _text.Insert(Cursor, character);
        Cursor++;
    }

    public void Insert(string text)
    {
        _text.Insert(Cursor, text);
        Cursor += text.Length;
    }

    public void MoveLeft() => Cursor = Previous();

    public void MoveRight() => Cursor = Next();

    public void MoveHome() => Cursor = StartOfLine();

    public void MoveEnd() => Cursor = EndOfLine();

    /// <summary>To a place where the cursor was before.</summary>
    public void MoveTo(int cursor) => Cursor = cursor;

    public void MoveToEndOfText() => Cursor = _text.Length;

    /// <summary>To the line above, at the same distance from its start or at its end; false in the first line.</summary>
    public bool TryMoveUp()
    {
        int start = StartOfLine();
        if (start == 0)
            return false;
        int column = Cursor - start;
        Cursor = start - 1;
        MoveTo(StartOfLine(), column);
        return true;
    }

    /// <summary>To the line below; false in the last line.</summary>
    public bool TryMoveDown()
    {
        int end = EndOfLine();
        if (end == _text.Length)
            return false;
        int column = Cursor - StartOfLine();
        MoveTo(end + 1, column);
        return true;
    }

    public void DeleteLeft() => Remove(Previous(), Cursor);

    public void DeleteRight() => Remove(Cursor, Next());

    public void DeleteToEnd() => Remove(Cursor, EndOfLine());

    public void DeleteToStart() => Remove(StartOfLine(), Cursor);

    /// <summary>Deletes the word before the cursor and the spaces after it.</summary>
    public void DeleteWord()
    {
        int start = Cursor;
        while (start > 0 && char.IsWhiteSpace(_text[start - 1]))
            start--;
        while (start > 0 && !char.IsWhiteSpace(_text[start - 1]))
            start--;
        Remove(start, Cursor);
    }

    private int StartOfLine() => Cursor == 0 ? 0 : Text.LastIndexOf('\n', Cursor - 1) + 1;

    private int EndOfLine() => Text.IndexOf('\n', Cursor) is >= 0 and var end ? end : _text.Length;

    // Never inside a character, and never past the line's end.
    private void MoveTo(int lineStart, int column)
    {
        Cursor = lineStart;
        int end = EndOfLine();
        while (Cursor < end && Next() <= lineStart + column)
            Cursor = Next();
    }

    private void Remove(int start, int end)
    {
        _text.Remove(start, end - start);
        Cursor = start;
    }

    private int Previous()
    {
        int previous = 0;
        foreach (int start in StringInfo.ParseCombiningCharacters(Text))
        {
            if (start >= Cursor)
                break;
            previous = start;
        }

        return previous;
    }

    private int Next() => Cursor == _text.Length ? Cursor : Cursor + StringInfo.GetNextTextElementLength(Text.AsSpan(Cursor));
}
