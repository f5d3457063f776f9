using System.Globalization;
using System.Text;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>The filter <c>tojson</c> as Hugging Face sets it: Python's <c>json.dumps</c>, characters other than ASCII as they are.</summary>
internal sealed class TemplateJson
{
    private readonly StringBuilder _text = new();
    private readonly int? _indent;
    private readonly TemplateBudget _budget;

    private TemplateJson(int? indent, TemplateBudget budget)
    {
        _indent = indent;
        _budget = budget;
    }

    public static TemplateText Write(object? value, object? indent, object? ensureAscii, object? separators, object? sortKeys, TemplateBudget budget)
    {
        if (indent is not (null or long))
            throw new TemplateException(0, "tojson needs a whole number as 'indent'");
        if (TemplateOperations.IsTrue(ensureAscii) || separators is not null || TemplateOperations.IsTrue(sortKeys))
            throw new TemplateException(0, "of tojson's arguments only 'indent' is supported");
        budget.Take(TemplateText.BuilderBytes);
        var writer = new TemplateJson((int?)(long?)indent, budget);
        bool content = writer.Append(value, 0);
        budget.MakeText(writer._text.Length, 1);
        return TemplateText.Of(writer._text.ToString(), content);
    }

    // Returns whether something came from content.
    private bool Append(object? value, int depth)
    {
        _budget.Descend(depth, "writes as JSON");
        switch (value)
        {
            case null:
                Append("null");
                return false;
            case bool flag:
                Append(flag ? "true" : "false");
                return false;
            case long whole:
                Append(whole.ToString(CultureInfo.InvariantCulture));
                return false;
            case double number:
                Append(TemplateArithmetic.FloatText(number));
                return false;
            case TemplateText word:
                AppendString(word.Value);
                return word.HasContent;
            case List<object?> list:
                return AppendItems('[', ']', list.Count, depth, i => Append(list[i], depth + 1));
            case TemplateMap map:
                return AppendItems('{', '}', map.Entries.Count, depth, i =>
                {
                    (string key, object? item) = map.Entries.GetAt(i);
                    AppendString(key);
                    Append(": ");
                    return Append(item, depth + 1) | map.IsContent;
                });
            default:
                throw new TemplateException(0, $"tojson cannot write {TemplateOperations.TypeName(value)}");
        }
    }

    private bool AppendItems(char open, char close, int count, int depth, Func<int, bool> append)
    {
        // The delegate and what it holds.
        _budget.Take(128);
        bool content = false;
        _text.Append(open);
        for (int i = 0; i < count; i++)
        {
            Append(i == 0 ? "" : _indent is null ? ", " : ",");
            AppendLine(depth + 1);
            content |= append(i);
        }

        if (count > 0)
            AppendLine(depth);
        _text.Append(close);
        return content;

        void AppendLine(int level)
        {
            if (_indent is not { } width)
                return;
            int blanks = Math.Clamp(width, 0, 16) * level;
            _budget.Take(4L * (blanks + 1));
            _budget.Scan(blanks);
            _text.Append('\n').Append(' ', blanks);
        }
    }

    // Short texts only.
    private void Append(string text)
    {
        _budget.Take(16L * text.Length);
        _text.Append(text);
    }

    private void AppendString(string value)
    {
        _budget.Take(4L * (value.Length + 2));
        _budget.Scan(2L * value.Length);
        _text.Append('"');
        foreach (char c in value)
        {
            string? escape = c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => $"\\u{(int)c:x4}",
                _ => null,
            };
            if (escape is null)
                _text.Append(c);
            else
                Append(escape);
        }

        _text.Append('"');
    }
}
