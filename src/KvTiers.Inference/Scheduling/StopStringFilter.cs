namespace KvTiers.Inference.Scheduling;

/// <summary>Lets text through as soon as it cannot be the beginning of a stop string, and ends it before the first stop string, or behind it.</summary>
/// <remarks>
/// Characters are looked at one by one, so how the text is cut into pieces does not matter. The stop string that is complete first wins; of those
/// that end at the same character, the longest.
/// </remarks>
/// <param name="stops">The stop strings.</param>
/// <param name="includeStop">True ends the text behind the stop string.</param>
internal sealed class StopStringFilter(IReadOnlyList<string> stops, bool includeStop = false)
{
    private char[] _held = new char[stops.Count == 0 ? 0 : stops.Max(stop => stop.Length) + 32];
    private int _heldCount;

    /// <summary>The stop string that ended the text, or null.</summary>
    public string? Matched { get; private set; }

    /// <summary>Takes the next piece of text and gives what is certain now. After a match there is no more text.</summary>
    public string Append(string text)
    {
        if (stops.Count == 0)
            return text;
        if (text.Length == 0 || Matched is not null)
            return "";
        if (_held.Length < _heldCount + text.Length)
            Array.Resize(ref _held, 2 * (_heldCount + text.Length));
        foreach (char character in text)
        {
            _held[_heldCount++] = character;
            Matched = StopAtEnd();
            if (Matched is not null)
                return Release(_heldCount - (includeStop ? 0 : Matched.Length), keepRest: false);
        }

        return Release(_heldCount - PossibleStart(), keepRest: true);
    }

    /// <summary>Ends the text: what was held back was no stop string after all.</summary>
    public string Flush() => Release(_heldCount, keepRest: false);

    private string Release(int count, bool keepRest)
    {
        string text = count == 0 ? "" : new string(_held, 0, count);
        int rest = keepRest ? _heldCount - count : 0;
        Array.Copy(_held, count, _held, 0, rest);
        _heldCount = rest;
        return text;
    }

    private string? StopAtEnd()
    {
        ReadOnlySpan<char> held = _held.AsSpan(0, _heldCount);
        string? found = null;
        for (int i = 0; i < stops.Count; i++)
        {
            if (stops[i].Length > (found?.Length ?? 0) && held.EndsWith(stops[i], StringComparison.Ordinal))
                found = stops[i];
        }

        return found;
    }

    // Length of the longest end of the held text that a stop string begins with.
    private int PossibleStart()
    {
        int longest = 0;
        for (int i = 0; i < stops.Count; i++)
        {
            for (int length = Math.Min(stops[i].Length - 1, _heldCount); length > longest; length--)
            {
                if (stops[i].AsSpan().StartsWith(_held.AsSpan(_heldCount - length, length), StringComparison.Ordinal))
                    longest = length;
            }
        }

        return longest;
    }
}
