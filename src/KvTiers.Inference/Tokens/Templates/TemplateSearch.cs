namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Finds one text in others, in time that is linear in both whatever they hold.</summary>
/// <remarks>A long text that nearly stands at every place makes an ordinary search quadratic; such a one is found by Knuth, Morris and Pratt's algorithm.</remarks>
internal sealed class TemplateSearch
{
    // What two vectors hold: to compare that much at every place is as fast as to go on.
    private const int MaxDirect = 32;

    private readonly string _wanted;
    private readonly TemplateBudget _budget;
    private readonly int[]? _borders;

    /// <param name="wanted">What is looked for; not empty.</param>
    /// <param name="budget">What every search is charged to.</param>
    public TemplateSearch(string wanted, TemplateBudget budget)
    {
        _wanted = wanted;
        _budget = budget;
        if (wanted.Length > MaxDirect)
            _borders = Borders();
    }

    /// <summary>The first place at or after one; negative when there is none.</summary>
    public int IndexIn(string text, int from)
    {
        int found = _borders is null ? text.IndexOf(_wanted, from, StringComparison.Ordinal) : Search(text, from, _borders);
        _budget.Step(1);
        _budget.Scan((found < 0 ? text.Length : found) - from);
        return found;
    }

    private int Search(string text, int from, int[] borders)
    {
        int matched = 0;
        for (int i = from; i < text.Length; i++)
        {
            while (matched > 0 && text[i] != _wanted[matched])
                matched = borders[matched - 1];
            if (text[i] == _wanted[matched] && ++matched == _wanted.Length)
                return i + 1 - matched;
        }

        return -1;
    }

    // [length] Of each prefix, the longest part that it begins and ends with.
    private int[] Borders()
    {
        _budget.Take(4L * _wanted.Length);
        _budget.Scan(_wanted.Length);
        int[] borders = new int[_wanted.Length];
        for (int i = 1, border = 0; i < borders.Length; i++)
        {
            while (border > 0 && _wanted[i] != _wanted[border])
                border = borders[border - 1];
            if (_wanted[i] == _wanted[border])
                border++;
            borders[i] = border;
        }

        return borders;
    }
}
