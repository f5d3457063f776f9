using System.Globalization;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Applies the operators to values, as Python does.</summary>
internal static class TemplateOperations
{
    public static bool IsTrue(object? value) => value switch
    {
        null or TemplateUndefined => false,
        bool flag => flag,
        long whole => whole != 0,
        double number => number != 0,
        TemplateText text => text.Length > 0,
        List<object?> list => list.Count > 0,
        TemplateMap map => map.Entries.Count > 0,
        _ => true,
    };

    public static string TypeName(object? value) => value switch
    {
        null => "none",
        TemplateUndefined undefined => $"the undefined '{undefined.Name}'",
        bool => "a boolean",
        long or double => "a number",
        TemplateText => "a string",
        List<object?> => "a list",
        TemplateMap => "a mapping",
        TemplateNamespace => "a namespace",
        TemplateLoop => "loop",
        _ => "a function",
    };

    /// <summary>The value as it is written out.</summary>
    public static TemplateText ToText(object? value) => value switch
    {
        TemplateText text => text,
        null => TemplateText.Plain("None"),
        TemplateUndefined => TemplateText.Empty,
        bool flag => TemplateText.Plain(flag ? "True" : "False"),
        long whole => TemplateText.Plain(whole.ToString(CultureInfo.InvariantCulture)),
        double number => TemplateText.Plain(TemplateArithmetic.FloatText(number)),
        _ => throw new TemplateException(0, $"{TypeName(value)} cannot be written as text; use tojson or join"),
    };

    /// <summary>The items that a loop goes through.</summary>
    public static List<object?> Items(object? value, TemplateBudget budget)
    {
        switch (value)
        {
            case List<object?> list:
                return list;
            case TemplateMap map:
                // Each key is a text of its own, and one that came from content has a range.
                budget.MakeList(map.Entries.Count);
                budget.Take(96L * map.Entries.Count);
                return [.. map.Keys];
            case TemplateText text:
                var letters = new List<object?>();
                foreach (TemplateText letter in text.CodePoints(budget))
                {
                    budget.Step();
                    budget.Grow();
                    letters.Add(letter);
                }

                return letters;
            case TemplateUndefined:
                return [];
            default:
                throw new TemplateException(0, $"{TypeName(value)} cannot be iterated");
        }
    }

    /// <summary>The items in a list of their own.</summary>
    public static List<object?> Copy(object? value, TemplateBudget budget)
    {
        List<object?> items = Items(value, budget);
        if (value is not List<object?>)
            return items;
        budget.MakeList(items.Count);
        return [.. items];
    }

    public static long Length(object? value, TemplateBudget budget) => value switch
    {
        TemplateText text => text.CountCodePoints(budget),
        TemplateMap map => map.Entries.Count,
        _ => Items(value, budget).Count,
    };

    public static object? Binary(string symbol, object? left, object? right, TemplateBudget budget)
    {
        if (symbol == "~")
            return TemplateText.Concat(ToText(left), ToText(right), budget);
        if (symbol == "+" && left is TemplateText first && right is TemplateText second)
            return TemplateText.Concat(first, second, budget);
        if (symbol == "+" && left is List<object?> head && right is List<object?> tail)
        {
            budget.MakeList(head.Count + (long)tail.Count);
            return head.Concat(tail).ToList();
        }

        return TemplateArithmetic.Binary(symbol, left, right);
    }

    /// <summary>A member of a list, text or mapping; undefined when there is none.</summary>
    public static object? Index(object? target, object? index, TemplateBudget budget) => (target, index) switch
    {
        (TemplateMap map, TemplateText key) => map.TryGet(key, budget, out object? value) ? value : TemplateUndefined.Of(key),
        (TemplateNamespace space, TemplateText key) => space.TryGet(key, budget, out object? value) ? value : TemplateUndefined.Of(key),
        (List<object?> list, long position) => At(list, position),
        (TemplateText text, long position) => At(text, position, budget),
        (TemplateUndefined undefined, _) => throw new TemplateException(0, $"'{undefined.Name}' is undefined"),
        _ => index is TemplateText name ? TemplateUndefined.Of(name) : new TemplateUndefined("index"),
    };

    public static object? Slice(object? target, long? start, long? end, long step, TemplateBudget budget)
    {
        if (step == 0)
            throw new TemplateException(0, "a slice's step must not be 0");
        if (target is not (TemplateText or List<object?>))
            throw new TemplateException(0, $"{TypeName(target)} cannot be sliced");
        long count = Length(target, budget);
        long from = Clamp(start ?? (step > 0 ? 0 : long.MaxValue));
        long to = end is null && step < 0 ? -1 : Clamp(end ?? long.MaxValue);
        if (target is TemplateText text && step == 1)
            return text.Slice(text.OffsetOf(from, budget), text.OffsetOf(to, budget), budget);
        List<object?> items = Items(target, budget);
        List<object?> taken = Every(from, to, step, 0, budget, position => items[(int)position]);
        return target is TemplateText ? TemplateText.Join(taken.Cast<TemplateText>(), budget) : taken;

        // Python's bounds: [0, count] going up, [−1, count − 1] going down.
        long Clamp(long position)
        {
            if (position < 0)
                position += count;
            return step > 0 ? Math.Clamp(position, 0, count) : Math.Clamp(position, -1, count - 1);
        }
    }

    public static List<object?> Range(long start, long end, long step, TemplateBudget budget)
    {
        if (step == 0)
            throw new TemplateException(0, "range's step must not be 0");
        // A number is an object.
        return Every(start, end, step, 24, budget, position => position);
    }

    private static List<object?> Every(long from, long to, long step, int bytesPerItem, TemplateBudget budget, Func<long, object?> item)
    {
        Int128 distance = step > 0 ? (Int128)to - from : (Int128)from - to;
        Int128 count = distance <= 0 ? 0 : ((distance - 1) / Int128.Abs(step)) + 1;
        // What is beyond this many is beyond every budget.
        int charged = (int)Int128.Min(count, int.MaxValue);
        budget.MakeList(charged);
        budget.Take((long)bytesPerItem * charged);
        var items = new List<object?>(charged);
        for (int i = 0; i < charged; i++)
            items.Add(item((long)(from + ((Int128)step * i))));
        return items;
    }

    private static object? At(List<object?> list, long position)
    {
        long actual = position < 0 ? position + list.Count : position;
        return actual >= 0 && actual < list.Count ? list[(int)actual] : new TemplateUndefined($"item {position}");
    }

    private static object At(TemplateText text, long position, TemplateBudget budget)
    {
        long count = text.CountCodePoints(budget);
        long actual = position < 0 ? position + count : position;
        return actual >= 0 && actual < count
            ? text.Slice(text.OffsetOf(actual, budget), text.OffsetOf(actual + 1, budget), budget)
            : new TemplateUndefined($"character {position}");
    }
}
