using System.Globalization;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Applies the operators to values, as Python does.</summary>
internal static class TemplateOperations
{
    private const int MaxItems = 1 << 20;

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
        double number => TemplateText.Plain(FloatText(number)),
        _ => throw new TemplateException(0, $"{TypeName(value)} cannot be written as text; use tojson or join"),
    };

    public static string FloatText(double number)
    {
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        return double.IsFinite(number) && text.AsSpan().IndexOfAny(".E") < 0 ? text + ".0" : text;
    }

    /// <summary>The items that a loop goes through.</summary>
    public static List<object?> Items(object? value) => value switch
    {
        List<object?> list => list,
        TemplateMap map => [.. map.Keys],
        TemplateText text => [.. text.CodePoints()],
        TemplateUndefined => [],
        _ => throw new TemplateException(0, $"{TypeName(value)} cannot be iterated"),
    };

    public static long Length(object? value) => value is TemplateText text ? text.CountCodePoints() : Items(value).Count;

    public static bool AreEqual(object? left, object? right) => (Number(left), Number(right)) switch
    {
        ({ } a, { } b) => a == b,
        _ => (left, right) switch
        {
            (TemplateText a, TemplateText b) => a.Value == b.Value,
            (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(pair => AreEqual(pair.First, pair.Second)),
            (TemplateMap a, TemplateMap b) => a.Entries.Count == b.Entries.Count
                && a.Entries.All(entry => b.Entries.TryGetValue(entry.Key, out object? other) && AreEqual(entry.Value, other)),
            (TemplateUndefined, TemplateUndefined) => true,
            _ => ReferenceEquals(left, right),
        },
    };

    public static bool Compare(string symbol, object? left, object? right)
    {
        switch (symbol)
        {
            case "==":
                return AreEqual(left, right);
            case "!=":
                return !AreEqual(left, right);
            case "in":
                return Contains(right, left);
            case "not in":
                return !Contains(right, left);
        }

        int order;
        if (Number(left) is { } a && Number(right) is { } b)
            order = a.CompareTo(b);
        else if (left is TemplateText first && right is TemplateText second)
            order = CompareCodePoints(first.Value, second.Value);
        else
            throw new TemplateException(0, $"'{symbol}' cannot compare {TypeName(left)} with {TypeName(right)}");
        return symbol switch
        {
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    public static bool Contains(object? container, object? item) => container switch
    {
        TemplateText text => item is TemplateText part
            ? text.Value.Contains(part.Value, StringComparison.Ordinal)
            : throw new TemplateException(0, $"'in' cannot look for {TypeName(item)} in a string"),
        TemplateMap map => item is TemplateText key && map.Entries.ContainsKey(key.Value),
        _ => Items(container).Exists(entry => AreEqual(entry, item)),
    };

    public static object? Binary(string symbol, object? left, object? right)
    {
        if (symbol == "~")
            return TemplateText.Concat(ToText(left), ToText(right));
        if (symbol == "+" && left is TemplateText first && right is TemplateText second)
            return TemplateText.Concat(first, second);
        if (symbol == "+" && left is List<object?> head && right is List<object?> tail)
        {
            return head.Count + tail.Count <= MaxItems
                ? head.Concat(tail).ToList()
                : throw new TemplateException(0, $"makes a list of more than {MaxItems} items");
        }

        if (Number(left) is not { } a || Number(right) is not { } b)
            throw new TemplateException(0, $"'{symbol}' is not supported between {TypeName(left)} and {TypeName(right)}");
        if (symbol is "/" or "//" or "%" && b == 0)
            throw new TemplateException(0, "division by zero");
        bool whole = left is not double && right is not double;
        return whole && symbol is not "/" ? Whole(symbol, (long)a, (long)b) : Floating(symbol, a, b);
    }

    public static object? Negate(object? value) => value switch
    {
        double number => (object)-number,
        _ when Number(value) is { } number => -(long)number,
        _ => throw new TemplateException(0, $"'-' is not supported for {TypeName(value)}"),
    };

    /// <summary>A member of a list, text or mapping; undefined when there is none.</summary>
    public static object? Index(object? target, object? index) => (target, index) switch
    {
        (TemplateMap map, TemplateText key) => map.Entries.TryGetValue(key.Value, out object? value) ? value : new TemplateUndefined(key.Value),
        (TemplateNamespace space, TemplateText key) => space.Attributes.TryGetValue(key.Value, out object? value) ? value : new TemplateUndefined(key.Value),
        (List<object?> list, long position) => At(list, position),
        (TemplateText text, long position) => At(text, position),
        (TemplateUndefined undefined, _) => throw new TemplateException(0, $"'{undefined.Name}' is undefined"),
        _ => new TemplateUndefined(index is TemplateText name ? name.Value : "index"),
    };

    public static object? Slice(object? target, long? start, long? end, long step)
    {
        if (step == 0)
            throw new TemplateException(0, "a slice's step must not be 0");
        if (target is not (TemplateText or List<object?>))
            throw new TemplateException(0, $"{TypeName(target)} cannot be sliced");
        long count = Length(target);
        long from = Clamp(start ?? (step > 0 ? 0 : long.MaxValue));
        long to = end is null && step < 0 ? -1 : Clamp(end ?? long.MaxValue);
        if (target is TemplateText text && step == 1)
            return text.Slice(text.OffsetOf(from), text.OffsetOf(to));
        List<object?> items = Items(target);
        var taken = new List<object?>();
        for (long i = from; step > 0 ? i < to : i > to; i += step)
            taken.Add(items[(int)i]);
        return target is TemplateText ? TemplateText.Join(taken.Cast<TemplateText>()) : taken;

        // Python's bounds: [0, count] going up, [−1, count − 1] going down.
        long Clamp(long position)
        {
            if (position < 0)
                position += count;
            return step > 0 ? Math.Clamp(position, 0, count) : Math.Clamp(position, -1, count - 1);
        }
    }

    public static List<object?> Range(long start, long end, long step)
    {
        if (step == 0)
            throw new TemplateException(0, "range's step must not be 0");
        var items = new List<object?>();
        for (long i = start; step > 0 ? i < end : i > end; i += step)
        {
            if (items.Count == MaxItems)
                throw new TemplateException(0, $"range makes more than {MaxItems} items");
            items.Add(i);
        }

        return items;
    }

    private static object? At(List<object?> list, long position)
    {
        long actual = position < 0 ? position + list.Count : position;
        return actual >= 0 && actual < list.Count ? list[(int)actual] : new TemplateUndefined($"item {position}");
    }

    private static object At(TemplateText text, long position)
    {
        long count = text.CountCodePoints();
        long actual = position < 0 ? position + count : position;
        return actual >= 0 && actual < count ? text.Slice(text.OffsetOf(actual), text.OffsetOf(actual + 1)) : new TemplateUndefined($"character {position}");
    }

    private static object Whole(string symbol, long a, long b)
    {
        try
        {
            return symbol switch
            {
                "+" => (object)checked(a + b),
                "-" => checked(a - b),
                "*" => checked(a * b),
                "//" => checked((long)Math.Floor((double)a / b)),
                "%" => ((a % b) + b) % b,
                _ => b >= 0 ? (object)checked((long)Math.Pow(a, b)) : Math.Pow(a, b),
            };
        }
        catch (OverflowException e)
        {
            throw new TemplateException(0, $"'{symbol}' makes a number that is too large", e);
        }
    }

    private static double Floating(string symbol, double a, double b) => symbol switch
    {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => Math.Floor(a / b),
        "%" => a - (b * Math.Floor(a / b)),
        _ => Math.Pow(a, b),
    };

    private static double? Number(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        long whole => whole,
        double number => number,
        _ => null,
    };

    private static int CompareCodePoints(string a, string b)
    {
        using IEnumerator<System.Text.Rune> x = a.EnumerateRunes().GetEnumerator();
        using IEnumerator<System.Text.Rune> y = b.EnumerateRunes().GetEnumerator();
        while (true)
        {
            bool hasX = x.MoveNext();
            bool hasY = y.MoveNext();
            if (!hasX || !hasY)
                return hasX.CompareTo(hasY);
            int order = x.Current.CompareTo(y.Current);
            if (order != 0)
                return order;
        }
    }
}
