using System.Text;
using KvTiers.Silo.Fields;

namespace KvTiers.Silo.Tests.Fields;

/// <summary>The tables of fields as docs/api.md shows them.</summary>
internal static class FieldDocument
{
    /// <summary>Everything between the page's two marks.</summary>
    public static string Render()
    {
        var text = new StringBuilder();
        IEnumerable<IGrouping<string, Field>> groups = ApiTable.All
            .SelectMany(api => api.Table.Fields)
            .Distinct(ReferenceEqualityComparer.Instance)
            .Cast<Field>()
            .GroupBy(field => string.Join(", ", ApiTable.All.Where(api => api.Table.Fields.Any(other => ReferenceEquals(other, field))).Select(api => $"`POST {api.Path}`")));
        foreach (IGrouping<string, Field> group in groups.OrderBy(group => group.Key.Count(c => c == ','))) Write(text, group.Key, group);

        foreach (FieldTable inner in ApiTable.All.SelectMany(api => Within(api.Table)).Distinct()) Write(text, $"Of {inner.What}", inner.Fields);
        return text.ToString();
    }

    private static IEnumerable<FieldTable> Within(FieldTable table) =>
        table.Fields.Select(field => field.Inner).OfType<FieldTable>().SelectMany(inner => Within(inner).Prepend(inner));

    private static void Write(StringBuilder text, string title, IEnumerable<Field> fields)
    {
        text.Append($"### {title}\n\n| field | | |\n| --- | --- | --- |\n");
        foreach (Field field in fields) text.Append($"| `{field.Name}` | {field.Use.ToString().ToLowerInvariant()} | {Cell(field)} |\n");
        text.Append('\n');
    }

    private static string Cell(Field field)
    {
        string cell = field.Use != FieldUse.Refused ? field.Text
            : field.Nothing.Count == 0 ? $"It asks for {field.Text}."
            : $"It asks for {field.Text}; {string.Join(" or ", field.Nothing.Select(nothing => $"`{nothing.GetRawText()}`"))} asks for nothing.";
        if (field.IsRequired) cell = $"Required{string.Concat(field.Alternatives.Select(name => $", or `{name}`"))}. {cell}";
        return cell.Replace("|", "\\|");
    }
}
