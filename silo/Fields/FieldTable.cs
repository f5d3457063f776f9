using System.Text.Json.Serialization.Metadata;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of one kind of object in requests. The one source of what is honoured, ignored and refused: <see cref="FieldWalk"/> holds requests to it, and docs/api.md shows it.</summary>
internal sealed class FieldTable
{
    /// <summary>Most fields of one object.</summary>
    public const int MostFields = 256;

    private readonly Dictionary<string, int> _indexes = new(StringComparer.Ordinal);

    /// <summary>A table.</summary>
    /// <param name="what">What its object is, with its article: <c>a message</c>.</param>
    /// <param name="fields">Its fields.</param>
    public FieldTable(string what, IReadOnlyList<Field> fields)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fields.Count, MostFields);
        What = what;
        Fields = fields;
        for (int i = 0; i < fields.Count; i++) _indexes.Add(fields[i].Name, i);
    }

    /// <summary>What its object is, with its article.</summary>
    public string What { get; }

    /// <summary>Its fields.</summary>
    public IReadOnlyList<Field> Fields { get; }

    /// <summary>A small object of the kind, as JSON, that is taken.</summary>
    public string Example { get; init; } = "{}";

    /// <summary>Where in <see cref="Fields"/> a name stands; −1 = nowhere.</summary>
    public int IndexOf(string name) => _indexes.GetValueOrDefault(name, -1);

    /// <summary>The field whose name is nearest to one that is not in the table; null = none is near.</summary>
    public string? Nearest(string name) => NearestName.Of(name, Fields.Select(field => field.Name));

    /// <summary>The table of the server's own requests, whose every property is honoured.</summary>
    /// <typeparam name="T">What the request is read as.</typeparam>
    public static FieldTable Of<T>() => Own<T>.Table;

    private static FieldTable Of(Type type, string what) => new(what, [.. SiloJson.RequestOptions.GetTypeInfo(type).Properties
        .Select(property => Field.Honoured(property.Name, property.CustomConverter is null ? KindsOf(property.PropertyType) : ValueKinds.Any, "null", "") with { Inner = InnerOf(property.PropertyType, $"'{property.Name}'") })]);

    private static ValueKinds KindsOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string) || type.IsEnum) return ValueKinds.Text;
        if (type == typeof(bool)) return ValueKinds.Boolean;
        if (type == typeof(int) || type == typeof(long)) return ValueKinds.Integer;
        if (type == typeof(double)) return ValueKinds.Number;
        return SiloJson.RequestOptions.GetTypeInfo(type).Kind switch
        {
            JsonTypeInfoKind.Enumerable => ValueKinds.List,
            JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => ValueKinds.Object,
            _ => ValueKinds.Any,
        };
    }

    private static FieldTable? InnerOf(Type type, string what)
    {
        JsonTypeInfo info = SiloJson.RequestOptions.GetTypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Object => Of(type, what),
            JsonTypeInfoKind.Enumerable when SiloJson.RequestOptions.GetTypeInfo(info.ElementType!).Kind == JsonTypeInfoKind.Object => Of(info.ElementType!, $"an entry of {what}"),
            _ => null,
        };
    }

    private static class Own<T>
    {
        public static readonly FieldTable Table = Of(typeof(T), "this request");
    }
}
