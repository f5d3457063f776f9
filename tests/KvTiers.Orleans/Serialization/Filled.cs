using System.Collections;
using System.Reflection;
using System.Text.Json.Serialization;

namespace KvTiers.Orleans.Tests.Serialization;

/// <summary>Records all of whose members have a value of their own, none a default: what a codec forgets shows.</summary>
internal static class Filled
{
    public static T Of<T>()
        where T : class => (T)Of(typeof(T));

    public static object Of(Type type)
    {
        int next = 1;
        return Make(type, ref next);
    }

    private static object Make(Type type, ref int next)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
            return $"text {next++}";
        if (type == typeof(bool))
            return false; // The only one there is defaults to true.
        if (type.IsEnum)
            return Enum.GetValues(type).GetValue(1)!;
        if (type == typeof(int) || type == typeof(long) || type == typeof(double))
            return Convert.ChangeType(next++, type, null);
        if (type == typeof(TimeSpan))
            return TimeSpan.FromSeconds(next++);
        if (type == typeof(DateTimeOffset))
            return DateTimeOffset.UnixEpoch.AddDays(next++);
        if (type == typeof(Guid))
            return new Guid(next++, 0, 0, new byte[8]);
        if (type.IsArray)
        {
            var array = Array.CreateInstance(type.GetElementType()!, 2);
            for (int i = 0; i < array.Length; i++)
                array.SetValue(Make(type.GetElementType()!, ref next), i);
            return array;
        }

        if (type == typeof(IReadOnlyDictionary<string, long>))
            return new Dictionary<string, long> { [$"key {next}"] = next++ };
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(type.GenericTypeArguments))!;
            for (int i = 0; i < 2; i++)
                list.Add(Make(type.GenericTypeArguments[0], ref next));
            return list;
        }

        return MakeRecord(type, ref next);
    }

    private static object MakeRecord(Type type, ref int next)
    {
        ConstructorInfo? constructor = type.GetConstructors().FirstOrDefault(one => one.GetParameters().Length > 0);
        if (constructor is not null)
        {
            ParameterInfo[] parameters = constructor.GetParameters();
            object[] values = new object[parameters.Length];
            for (int i = 0; i < values.Length; i++)
                values[i] = Make(parameters[i].ParameterType, ref next);
            return constructor.Invoke(values);
        }

        object record = Activator.CreateInstance(type)!;

        // A list of the same records ends somewhere.
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (PropertyInfo property in type.GetProperties(All).Where(property => property.CanWrite && !property.PropertyType.GenericTypeArguments.Contains(type)))
            property.SetValue(record, property.IsDefined(typeof(JsonConverterAttribute)) ? $"{{\"json\": {next++}}}" : Make(property.PropertyType, ref next));
        return record;
    }
}
