using System.Globalization;
using System.Text;
using Spectre.Console.Rendering;

namespace KvTiers.Cli.Chat;

/// <summary>Writes an answer as it arrives.</summary>
/// <remarks>
/// On a terminal (<paramref name="width"/> given) a word that does not fit is taken back and begun again on the next line, and control characters but
/// line breaks and tabs are dropped: a model's text must not move the cursor or set colours. Elsewhere text is written as it is.
/// </remarks>
internal sealed class AnswerWriter(TextWriter output, int? width)
{
    private readonly StringBuilder _word = new();
    private int _wordCells;
    private int _column;
    private bool _atLineStart = true;

    public void Write(string text)
    {
        if (width is null)
            output.Write(text);
        else
            WriteWrapped(text, width.Value);
        if (text.Length > 0)
            _atLineStart = text[^1] == '\n';
        output.Flush();
    }

    /// <summary>Ends the line, unless the answer did.</summary>
    public void End()
    {
        if (!_atLineStart)
            output.WriteLine();
        output.Flush();
    }

    private void WriteWrapped(string text, int width)
    {
        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
        {
            string element = elements.GetTextElement();
            if (element is "\n" or "\r\n")
                StartLine(element);
            else if (element == "\t")
                WriteSpace("    ", 4, width);
            else if (element == " ")
                WriteSpace(element, 1, width);
            else if (!char.IsControl(element[0]))
                WriteInWord(element, new Segment(element).CellCount(), width);
        }
    }

    private void StartLine(string lineBreak)
    {
        output.Write(lineBreak);
        _word.Clear();
        _wordCells = _column = 0;
    }

    private void WriteSpace(string space, int cells, int width)
    {
        _word.Clear();
        _wordCells = 0;
        // A space at the margin is the line break.
        if (_column + cells >= width)
        {
            StartLine("\n");
            return;
        }

        output.Write(space);
        _column += cells;
    }

    private void WriteInWord(string element, int cells, int width)
    {
        // The last cell stays empty: after it a terminal's cursor is neither here nor there.
        if (_column + cells >= width)
        {
            // A word as long as the line is cut.
            string carried = _wordCells < _column ? _word.ToString() : "";
            int carriedCells = carried.Length > 0 ? _wordCells : 0;
            if (carriedCells > 0)
                output.Write(string.Create(CultureInfo.InvariantCulture, $"\u001b[{carriedCells}D\u001b[K"));
            StartLine("\n");
            output.Write(carried);
            _word.Append(carried);
            _column = _wordCells = carriedCells;
        }

        output.Write(element);
        _word.Append(element);
        _wordCells += cells;
        _column += cells;
    }
}
