using System.Text;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Builds a text from pieces.</summary>
/// <param name="budget">What it takes is charged to.</param>
internal sealed class TemplateTextBuilder(TemplateBudget budget)
{
    private readonly StringBuilder _value = new();
    private readonly List<(int Start, int End)> _content = [];

    public int Length => _value.Length;

    /// <exception cref="TemplateException">The text would be longer than <see cref="TemplateText.MaxLength"/>, or the budget is used up.</exception>
    public void Append(TemplateText text)
    {
        int offset = _value.Length;
        if (text.Length > TemplateText.MaxLength - offset)
            throw TemplateText.TooLong();
        // A builder grows by as much as it has.
        budget.Take((4L * text.Length) + (32L * text.Content.Length));
        budget.Step((text.Length >> 5) + (text.Content.Length >> 2));
        _value.Append(text.Value);
        foreach ((int start, int end) in text.Content)
        {
            if (_content.Count > 0 && _content[^1].End == offset + start)
                _content[^1] = (_content[^1].Start, offset + end);
            else
                _content.Add((offset + start, offset + end));
        }
    }

    public TemplateText ToText()
    {
        budget.MakeText(_value.Length, _content.Count);
        return new(_value.ToString(), [.. _content]);
    }
}
