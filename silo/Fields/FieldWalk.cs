using System.Buffers;
using System.Text.Json;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Fields;

/// <summary>Holds a request's JSON to the tables of its fields, object by object, before it is read as a record.</summary>
/// <remarks>
/// In this order, each a 400 that names the field by its path: a name that stands twice (at any depth, and where any field is taken too), an unknown name, a
/// refused field that asks for something, a value of the wrong kind, a string that is no text.
/// </remarks>
/// <param name="ignoreUnknown">True lets unknown names pass.</param>
internal sealed class FieldWalk(bool ignoreUnknown)
{
    private static readonly JsonReaderOptions Strict = new() { MaxDepth = SiloJson.MostDepth };

    /// <summary>Checks a whole body.</summary>
    /// <param name="json">Valid UTF-8.</param>
    /// <param name="table">Its fields.</param>
    /// <exception cref="ApiException">400: see above, or the body is no object.</exception>
    /// <exception cref="JsonException">The body is no JSON.</exception>
    public void Check(ReadOnlySpan<byte> json, FieldTable table)
    {
        var reader = new Utf8JsonReader(json, Strict);
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartObject) CheckObject(ref reader, table, FieldPlace.Body);
        else reader.Skip();
        bool isObject = reader.TokenType == JsonTokenType.EndObject;
        // Reads on to the end, so that what follows the value is found.
        if (reader.Read() || !isObject) throw ApiException.BadRequest("The body must be a JSON object.", null, "invalid_type");
    }

    // At the start of an object; leaves the reader at its end.
    private void CheckObject(ref Utf8JsonReader reader, FieldTable? table, FieldPlace place)
    {
        Span<bool> seen = stackalloc bool[FieldTable.MostFields];
        seen.Clear();
        HashSet<string>? others = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string name = Name(ref reader, place);
            int index = table?.IndexOf(name) ?? -1;
            bool isRepeated = index >= 0 ? seen[index] : !(others ??= new(StringComparer.Ordinal)).Add(name);
            if (isRepeated) throw Repeated(place.Of(name));
            if (index >= 0) seen[index] = true;
            else if (table is not null && !ignoreUnknown) throw Unknown(name, place.Of(name), table);

            reader.Read();
            if (index >= 0) CheckField(ref reader, table!.Fields[index], place.Of(name));
            else if (HasMore(ref reader)) CheckValue(ref reader, null, place.Of(name));
        }
    }

    private void CheckField(ref Utf8JsonReader reader, Field field, FieldPlace at)
    {
        if (field.Use == FieldUse.Honoured && !Fits(ref reader, field.Kinds))
            throw ApiException.BadRequest($"'{at}' is {Shown(ref reader)}; it must be {Words(field.Kinds)}.", at.ToString(), "invalid_type");
        if (field.Use == FieldUse.Refused && reader.TokenType != JsonTokenType.Null)
        {
            Utf8JsonReader value = reader;
            CheckValue(ref reader, null, at);
            if (!field.AsksForNothing(JsonElement.ParseValue(ref value))) throw ApiException.Unsupported(at.ToString(), field.Text);
            return;
        }

        CheckValue(ref reader, field.Inner, at);
    }

    // At the start of a value; leaves the reader at its end.
    private void CheckValue(ref Utf8JsonReader reader, FieldTable? table, FieldPlace at)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                CheckObject(ref reader, table, at);
                break;
            case JsonTokenType.StartArray:
                for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
                {
                    if (table is not null && reader.TokenType != JsonTokenType.StartObject)
                        throw ApiException.BadRequest($"'{at.Of(i)}' is {Shown(ref reader)}; it must be an object.", at.Of(i).ToString(), "invalid_type");
                    if (HasMore(ref reader)) CheckValue(ref reader, table, at.Of(i));
                }

                break;
            case JsonTokenType.String when reader.ValueIsEscaped:
                CheckText(ref reader, at);
                break;
        }
    }

    // A prompt may be a list of many thousands of numbers, which need no place.
    private static bool HasMore(ref Utf8JsonReader reader) =>
        reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray || reader is { TokenType: JsonTokenType.String, ValueIsEscaped: true };

    private static string Name(ref Utf8JsonReader reader, FieldPlace place)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            string? path = place == FieldPlace.Body ? null : place.ToString();
            throw ApiException.BadRequest($"{(path is null ? "The body" : $"'{path}'")} has a field whose name holds half of a surrogate pair.", path, "invalid_text", e);
        }
    }

    private static void CheckText(ref Utf8JsonReader reader, FieldPlace at)
    {
        char[] text = ArrayPool<char>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            reader.CopyString(text);
        }
        catch (InvalidOperationException e)
        {
            throw ApiException.BadRequest($"'{at}' holds half of a surrogate pair.", at.ToString(), "invalid_text", e);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(text);
        }
    }

    private static ApiException Repeated(FieldPlace at) => ApiException.BadRequest($"'{at}' stands twice; a field may stand once only.", at.ToString(), "duplicate_parameter");

    private static ApiException Unknown(string name, FieldPlace at, FieldTable table)
    {
        string meant = table.Nearest(name) is { } nearest ? $"; did you mean '{nearest}'?" : ".";
        return ApiException.BadRequest(
            $"'{at}' is not a field of {table.What}{meant} docs/api.md lists the fields; KvTiers:UnknownFields=ignore lets unknown ones pass.", at.ToString(), "unknown_parameter");
    }

    private static bool Fits(ref Utf8JsonReader reader, ValueKinds kinds) => reader.TokenType switch
    {
        JsonTokenType.String => kinds.HasFlag(ValueKinds.Text),
        JsonTokenType.Number => kinds.HasFlag(ValueKinds.Number) || (kinds.HasFlag(ValueKinds.Integer) && reader.TryGetInt64(out _)),
        JsonTokenType.True or JsonTokenType.False => kinds.HasFlag(ValueKinds.Boolean),
        JsonTokenType.StartArray => kinds.HasFlag(ValueKinds.List),
        JsonTokenType.StartObject => kinds.HasFlag(ValueKinds.Object),
        _ => true,
    };

    private static string Shown(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => "a string",
        JsonTokenType.Number when reader.ValueSpan.Length <= 32 => System.Text.Encoding.UTF8.GetString(reader.ValueSpan),
        JsonTokenType.Number => "a long number",
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.StartObject => "an object",
        _ => "null",
    };

    private static string Words(ValueKinds kinds)
    {
        List<string> words = [];
        if (kinds.HasFlag(ValueKinds.Text)) words.Add("a string");
        if (kinds.HasFlag(ValueKinds.Number)) words.Add("a number");
        else if (kinds.HasFlag(ValueKinds.Integer)) words.Add("a whole number of at most 64 bits");
        if (kinds.HasFlag(ValueKinds.Boolean)) words.Add("true or false");
        if (kinds.HasFlag(ValueKinds.List)) words.Add("a list");
        if (kinds.HasFlag(ValueKinds.Object)) words.Add("an object");
        return string.Join(" or ", words);
    }
}
