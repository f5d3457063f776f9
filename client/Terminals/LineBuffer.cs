using System.Globalization;
using System.Text;

namespace KvTiers.Cli.Terminals;

/// <summary>A line being edited. The cursor stands between characters as a reader sees them (grapheme clusters), never inside one.</summary>
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

    public void MoveLeft() => Cursor = Previous();

    public void MoveRight() => Cursor = Next();

    public void MoveHome() => Cursor = 0;

    public void MoveEnd() => Cursor = _text.Length;

    public void DeleteLeft() => Remove(Previous(), Cursor);

    public void DeleteRight() => Remove(Cursor, Next());

    public void DeleteToEnd() => Remove(Cursor, _text.Length);

    public void DeleteToStart() => Remove(0, Cursor);

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
