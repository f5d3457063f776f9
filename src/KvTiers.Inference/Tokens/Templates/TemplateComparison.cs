using System.Text;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Compares values, as Python does.</summary>
internal static class TemplateComparison
{
    public static bool AreEqual(object? left, object? right, TemplateBudget budget) => AreEqual(left, right, budget, 0);

    public static bool Compare(string symbol, object? left, object? right, TemplateBudget budget)
    {
        switch (symbol)
        {
            case "==":
                return AreEqual(left, right, budget);
            case "!=":
                return !AreEqual(left, right, budget);
            case "in":
                return Contains(right, left, budget);
            case "not in":
                return !Contains(right, left, budget);
        }

        int order;
        if (TemplateArithmetic.Number(left) is { } a && TemplateArithmetic.Number(right) is { } b)
        {
            order = a.CompareTo(b);
        }
        else if (left is TemplateText first && right is TemplateText second)
        {
            // Runes are read one by one.
            budget.Scan(4L * Math.Min(first.Length, second.Length));
            order = CompareCodePoints(first.Value, second.Value);
        }
        else
        {
            throw new TemplateException(0, $"'{symbol}' cannot compare {TemplateOperations.TypeName(left)} with {TemplateOperations.TypeName(right)}");
        }

        return symbol switch
        {
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    private static bool Contains(object? container, object? item, TemplateBudget budget)
    {
        switch (container)
        {
            case TemplateText text:
                if (item is not TemplateText part)
                    throw new TemplateException(0, $"'in' cannot look for {TemplateOperations.TypeName(item)} in a string");
                return part.Length == 0 || (part.Length <= text.Length && new TemplateSearch(part.Value, budget).IndexIn(text.Value, 0) >= 0);
            case TemplateMap map:
                return item is TemplateText key && map.TryGet(key, budget, out _);
            case List<object?> list:
                return list.Exists(entry => AreEqual(entry, item, budget));
            case TemplateUndefined:
                return false;
            default:
                throw new TemplateException(0, $"{TemplateOperations.TypeName(container)} cannot be iterated");
        }
    }

    private static bool AreEqual(object? left, object? right, TemplateBudget budget, int depth)
    {
        budget.Descend(depth, "compares");
        // A value equals itself, so what stands in several places is gone through once.
        if (ReferenceEquals(left, right))
            return true;
        if (TemplateArithmetic.Number(left) is { } a && TemplateArithmetic.Number(right) is { } b)
            return a == b;
        switch (left, right)
        {
            case (TemplateText first, TemplateText second):
                if (first.Length != second.Length)
                    return false;
                budget.Scan(first.Length >> 1);
                return first.Value == second.Value;
            case (List<object?> first, List<object?> second):
                if (first.Count != second.Count)
                    return false;
                for (int i = 0; i < first.Count; i++)
                {
                    if (!AreEqual(first[i], second[i], budget, depth + 1))
                        return false;
                }

                return true;
            case (TemplateMap first, TemplateMap second):
                if (first.Entries.Count != second.Entries.Count)
                    return false;
                foreach ((string key, object? value) in first.Entries)
                {
                    budget.Scan(key.Length);
                    if (!second.Entries.TryGetValue(key, out object? other) || !AreEqual(value, other, budget, depth + 1))
                        return false;
                }

                return true;
            default:
                return left is TemplateUndefined && right is TemplateUndefined;
        }
    }

    private static int CompareCodePoints(string a, string b)
    {
        StringRuneEnumerator x = a.EnumerateRunes().GetEnumerator();
        StringRuneEnumerator y = b.EnumerateRunes().GetEnumerator();
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
