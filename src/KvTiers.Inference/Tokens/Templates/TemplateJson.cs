using System.Globalization;
using System.Text;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>The filter <c>tojson</c> as Hugging Face sets it: Python's <c>json.dumps</c>, characters other than ASCII as they are.</summary>
internal static class TemplateJson
{
    public static TemplateText Write(object? value, object? indent, object? ensureAscii, object? separators, object? sortKeys)
    {
        if (indent is not (null or long))
            throw new TemplateException(0, "tojson needs a whole number as 'indent'");
        if (TemplateOperations.IsTrue(ensureAscii) || separators is not null || TemplateOperations.IsTrue(sortKeys))
            throw new TemplateException(0, "of tojson's arguments only 'indent' is supported");
        var text = new StringBuilder();
        bool content = Append(text, value, (int?)(long?)indent, 0);
        return TemplateText.Of(text.ToString(), content);
    }

    // Returns whether something came from content.
    private static bool Append(StringBuilder text, object? value, int? indent, int depth)
    {
        if (depth > 50)
            throw new TemplateException(0, "tojson: nested more than 50 deep");
        switch (value)
        {
            case null:
                text.Append("null");
                return false;
            case bool flag:
                text.Append(flag ? "true" : "false");
                return false;
            case long whole:
                text.Append(whole.ToString(CultureInfo.InvariantCulture));
                return false;
            case double number:
                text.Append(TemplateOperations.FloatText(number));
                return false;
            case TemplateText word:
                AppendString(text, word.Value);
                return word.HasContent;
            case List<object?> list:
                return AppendItems(text, '[', ']', list.Count, indent, depth, i => Append(text, list[i], indent, depth + 1));
            case TemplateMap map:
                return AppendItems(text, '{', '}', map.Entries.Count, indent, depth, i =>
                {
                    (string key, object? item) = map.Entries.GetAt(i);
                    AppendString(text, key);
                    text.Append(": ");
                    return Append(text, item, indent, depth + 1) | map.IsContent;
                });
            default:
                throw new TemplateException(0, $"tojson cannot write {TemplateOperations.TypeName(value)}");
        }
    }

    private static bool AppendItems(StringBuilder text, char open, char close, int count, int? indent, int depth, Func<int, bool> append)
    {
        bool content = false;
        text.Append(open);
        for (int i = 0; i < count; i++)
        {
            text.Append(i == 0 ? "" : indent is null ? ", " : ",");
            AppendLine(depth + 1);
            content |= append(i);
        }

        if (count > 0)
            AppendLine(depth);
        text.Append(close);
        return content;

        void AppendLine(int level)
        {
            if (indent is { } width)
                text.Append('\n').Append(' ', Math.Clamp(width, 0, 16) * level);
        }
    }

    private static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
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
                text.Append(c);
            else
                text.Append(escape);
        }

        text.Append('"');
    }
}
