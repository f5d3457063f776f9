using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KvTiers.Conversations;
using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using Orleans.CodeGeneration;
using Orleans.Placement;

namespace KvTiers.Orleans.Tests.Serialization;

/// <summary>All that silos of two builds must agree on, as text: no name of a type that could move, no order that could change by itself.</summary>
internal static class WireContract
{
    /// <summary>Stands before what has no name of its own.</summary>
    public const string Unnamed = "UNNAMED ";

    private static readonly Assembly Code = typeof(WireNames).Assembly;

    /// <summary>Types of the assembly that Orleans serializes, without the stand-ins for records of <c>KvTiers.Conversations</c>.</summary>
    public static IEnumerable<Type> Records =>
        Code.GetTypes().Where(type => type.IsDefined(typeof(GenerateSerializerAttribute), false) && !type.IsEnum && !IsSurrogate(type));

    /// <summary>Interfaces that are called from another process.</summary>
    public static IEnumerable<Type> Interfaces => Code.GetTypes().Where(type => type.IsInterface && typeof(IAddressable).IsAssignableFrom(type));

    public static string Describe()
    {
        var text = new StringBuilder();
        foreach (Type type in Interfaces.OrderBy(NameOf, StringComparer.Ordinal))
        {
            text.Append($"interface {NameOf(type)}, version {type.GetCustomAttribute<VersionAttribute>()?.Version ?? 0}\n");
            foreach (MethodInfo method in type.GetMethods().OrderBy(AliasOf, StringComparer.Ordinal))
                text.Append($"  {AliasOf(method)}({string.Join(", ", method.GetParameters().Select(parameter => NameOf(parameter.ParameterType)))}) -> {NameOf(method.ReturnType)}\n");
        }

        foreach (Type type in Code.GetTypes().Where(type => type.IsClass && type.IsDefined(typeof(GrainTypeAttribute), false)).OrderBy(GrainTypeOf, StringComparer.Ordinal))
            text.Append($"grain {GrainTypeOf(type)}{(type.GetCustomAttribute<PlacementAttribute>() is { } placement ? $", placed by {placement.PlacementStrategy.GetType().Name}" : "")}\n");
        foreach (Type type in Records.OrderBy(NameOf, StringComparer.Ordinal))
            Members(text, $"record {NameOf(type)}", type);
        foreach ((Type type, string name) in WireNames.Surrogates.OrderBy(one => one.Value, StringComparer.Ordinal))
            Members(text, $"record {name}", SurrogateOf(type));
        foreach ((Type type, string name) in WireNames.Json.OrderBy(one => one.Value, StringComparer.Ordinal))
        {
            text.Append($"JSON {name}\n");
            Properties(text, ConversationJson.Options.GetTypeInfo(type), "  ");
        }

        foreach (Type type in (Type[])[typeof(ConversationFaultKind), typeof(TurnMode), typeof(ContextPolicy), typeof(Truncation)])
            text.Append($"numbers of {type.Name}: {string.Join(", ", Enum.GetValues(type).Cast<object>().Select(value => $"{Convert.ToInt32(value, null)} {value}"))}\n");
        return text.Append($"beside calls: {PlacementOpening.RequestKey}: {NameOf(typeof(PlacementOpening))}\n").ToString();
    }

    /// <summary>The stand-in of a record.</summary>
    public static Type SurrogateOf(Type record) =>
        Code.GetTypes().SelectMany(type => type.GetInterfaces())
            .Single(one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IConverter<,>) && one.GenericTypeArguments[0] == record).GenericTypeArguments[1];

    private static bool IsSurrogate(Type type) => WireNames.Surrogates.Keys.Select(SurrogateOf).Contains(type);

    private static string AliasOf(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>()?.Alias ?? Unnamed + member.Name;

    private static string GrainTypeOf(Type type) => type.GetCustomAttribute<GrainTypeAttribute>()!.GetGrainType(null!, null!).ToString();

    private static void Members(StringBuilder text, string heading, Type type)
    {
        text.Append($"{heading}\n");
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var members = type.GetFields(All).Select(field => ((MemberInfo)field, field.FieldType)).Concat(type.GetProperties(All).Select(property => ((MemberInfo)property, property.PropertyType)));
        foreach ((MemberInfo member, Type of) in members.Where(one => one.Item1.IsDefined(typeof(IdAttribute))).OrderBy(one => one.Item1.GetCustomAttribute<IdAttribute>()!.Id))
            text.Append($"  {member.GetCustomAttribute<IdAttribute>()!.Id} {member.Name}: {NameOf(of)}\n");
    }

    private static void Properties(StringBuilder text, JsonTypeInfo type, string indent)
    {
        foreach (JsonPropertyInfo property in type.Properties.OrderBy(property => property.Name, StringComparer.Ordinal))
        {
            text.Append($"{indent}{property.Name}: {JsonOf(property.PropertyType, out Type? inner)}{(property.IsRequired ? ", required" : "")}\n");
            if (inner is not null && !WireNames.Json.ContainsKey(inner))
                Properties(text, ConversationJson.Options.GetTypeInfo(inner), indent + "  ");
        }
    }

    private static string JsonOf(Type type, out Type? inner)
    {
        inner = null;
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum)
            return string.Join("|", Enum.GetValues(type).Cast<object>().Select(value => JsonSerializer.Serialize(value, ConversationJson.Options).Trim('"')));
        if (type.Namespace == nameof(System))
            return type.Name.ToLowerInvariant();
        if (!type.IsGenericType)
        {
            inner = type;
            return WireNames.Json.GetValueOrDefault(type, "object");
        }

        Type element = type.GenericTypeArguments[^1];
        return type.GenericTypeArguments.Length == 2 ? $"map of {JsonOf(element, out inner)}" : $"list of {JsonOf(element, out inner)}";
    }

    private static string NameOf(Type type)
    {
        if (type == typeof(Task))
            return "nothing";
        if (Nullable.GetUnderlyingType(type) is { } value)
            return NameOf(value) + "?";
        if (type.IsArray)
            return NameOf(type.GetElementType()!) + "[]";
        if (type.IsGenericType && type.GetGenericTypeDefinition() is { } generic)
            return generic == typeof(Task<>) || generic == typeof(ValueTask<>) ? NameOf(type.GenericTypeArguments[0]) : $"{generic.Name[..^2]} of {NameOf(type.GenericTypeArguments[0])}";
        return type.GetCustomAttribute<AliasAttribute>()?.Alias
            ?? WireNames.Json.GetValueOrDefault(type)
            ?? WireNames.Surrogates.GetValueOrDefault(type)
            ?? (type.Namespace!.StartsWith(nameof(System), StringComparison.Ordinal) || type.IsEnum ? type.Name : Unnamed + type.Name);
    }
}
