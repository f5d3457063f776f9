namespace KvTiers.Tiers;

/// <summary>Which tenant a namespace's number is of. Of a tenant's numbers the 1,024 used last are known; a number that nobody named is a tenant of its own.</summary>
internal sealed class TenantNames
{
    private const int MostNumbers = 1_024;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, string> _names = [];
    private readonly Dictionary<string, List<int>> _numbers = new(StringComparer.Ordinal);

    /// <summary>The number was used, and is this tenant's.</summary>
    public void Assign(int number, string tenant)
    {
        lock (_lock)
        {
            if (!_numbers.TryGetValue(tenant, out List<int>? numbers))
                _numbers.Add(tenant, numbers = []);
            if (numbers is [.., var last] && last == number)
                return;
            if (_names.TryGetValue(number, out string? former) && former != tenant)
                _numbers[former].Remove(number);
            _names[number] = tenant;
            numbers.Remove(number);
            numbers.Add(number);
            if (numbers.Count <= MostNumbers)
                return;
            _names.Remove(numbers[0]);
            numbers.RemoveAt(0);
        }
    }

    /// <summary>The tenant that a number is of; null = it was not said.</summary>
    public string? Of(int number)
    {
        lock (_lock)
            return _names.GetValueOrDefault(number);
    }

    /// <summary>A tenant's numbers, the one used longest ago first.</summary>
    public IReadOnlyList<int> NumbersOf(string tenant)
    {
        lock (_lock)
            return _numbers.TryGetValue(tenant, out List<int>? numbers) ? [.. numbers] : [];
    }
}
