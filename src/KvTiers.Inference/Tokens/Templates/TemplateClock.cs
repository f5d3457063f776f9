using System.Globalization;
using System.Text;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>The function <c>strftime_now</c>.</summary>
internal static class TemplateClock
{
    public static string Format(DateTimeOffset now, string format, TemplateBudget budget)
    {
        budget.Take(TemplateText.BuilderBytes);
        var text = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            budget.Take(8);
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }

            // A field is up to nine letters, and is made before it is written.
            budget.Step();
            budget.Take(128);
            bool unpadded = i + 2 < format.Length && format[i + 1] == '-';
            i += unpadded ? 2 : 1;
            string field = Field(now, i < format.Length ? format[i] : '\0');
            text.Append(unpadded && field.Length > 1 ? field.TrimStart('0') : field);
        }

        budget.MakeText(text.Length, 0);
        return text.ToString();
    }

    private static string Field(DateTimeOffset now, char directive)
    {
        string? format = directive switch
        {
            'Y' => "yyyy",
            'y' => "yy",
            'm' => "MM",
            'd' => "dd",
            'B' => "MMMM",
            'b' => "MMM",
            'A' => "dddd",
            'a' => "ddd",
            'H' => "HH",
            'I' => "hh",
            'M' => "mm",
            'S' => "ss",
            'p' => "tt",
            _ => null,
        };
        if (format is not null)
            return now.ToString(format, CultureInfo.InvariantCulture);
        return directive switch
        {
            '%' => "%",
            'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            _ => throw new TemplateException(0, $"strftime_now: %{directive} is not supported"),
        };
    }
}
