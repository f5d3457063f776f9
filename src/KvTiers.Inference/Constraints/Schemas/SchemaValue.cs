using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>Values that a schema lists.</summary>
internal static class SchemaValue
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Equal for values that are equal to JSON Schema: numbers by value, objects whatever their order.</summary>
    public static string KeyOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => DecimalNumber.Parse(value.GetRawText()).ToString(),
        JsonValueKind.String => JsonSerializer.Serialize(value.GetString(), Relaxed),
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(KeyOf))}]",
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => $"{JsonSerializer.Serialize(member.Name, Relaxed)}:{KeyOf(member.Value)}"))}}}",
        _ => value.GetRawText(),
    };

    /// <summary>How a listed value is written: as the schema writes it, strings with the fewest escapes, and one space or none after ',' and ':'.</summary>
    public static Expression Write(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Expression.Literal(Quote(value.GetString()!)),
        JsonValueKind.Array => Expression.Sequence(
        [
            Expression.Literal("["), .. Separated(value.EnumerateArray().Select(Write)), Expression.Literal("]"),
        ]),
        JsonValueKind.Object => Expression.Sequence(
        [
            Expression.Literal("{"),
            .. Separated(value.EnumerateObject().Select(member => Expression.Sequence(Expression.Literal(Quote(member.Name) + ":"), JsonText.Space, Write(member.Value)))),
            Expression.Literal("}"),
        ]),
        _ => Expression.Literal(value.GetRawText()),
    };

    /// <summary>A string as JSON writes it with the fewest escapes.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char character in text)
        {
            int escape = "\b\t\n\f\r\"\\".IndexOf(character);
            if (escape >= 0)
                quoted.Append('\\').Append("btnfr\"\\"[escape]);
            else if (character < ' ')
                quoted.Append($"\\u{(int)character:x4}");
            else
                quoted.Append(character);
        }

        return quoted.Append('"').ToString();
    }

    private static IEnumerable<Expression> Separated(IEnumerable<Expression> parts) =>
        parts.SelectMany((part, i) => i == 0 ? [part] : (Expression[])[Expression.Literal(","), JsonText.Space, part]);
}
