using System.Text;

namespace KvTiers.Inference.Constraints.Automata;

/// <content>Characters as bytes.</content>
internal sealed partial class AutomatonBuilder
{
    private const string ShortEscaped = "\b\t\n\f\r\"\\";
    private const string ShortEscapes = "btnfr\"\\";

    private static readonly CharacterSet Unescaped = CharacterSet.Of((0, 0x1F), ('"', '"'), ('\\', '\\')).Complement();

    private void AddUtf8(int from, CharacterSet set, int to)
    {
        foreach ((int first, int last) in set.Ranges)
            AddUtf8(from, first, last, to);
    }

    // Cuts a range until all of its characters have as many bytes, and each byte a range of its own.
    private void AddUtf8(int from, int first, int last, int to)
    {
        foreach (int end in (ReadOnlySpan<int>)[0x7F, 0x7FF, 0xFFFF])
        {
            if (first <= end && end < last)
            {
                AddUtf8(from, first, end, to);
                AddUtf8(from, end + 1, last, to);
                return;
            }
        }

        for (int bits = 6; last > 0x7F && bits <= 18; bits += 6)
        {
            int low = (1 << bits) - 1;
            if ((first & ~low) == (last & ~low))
                continue;
            int cut = (first & low) != 0 ? first | low : (last & low) != low ? (last & ~low) - 1 : -1;
            if (cut < 0)
                continue;
            AddUtf8(from, first, cut, to);
            AddUtf8(from, cut + 1, last, to);
            return;
        }

        Span<byte> lows = stackalloc byte[4];
        Span<byte> highs = stackalloc byte[4];
        int length = new Rune(first).EncodeToUtf8(lows);
        new Rune(last).EncodeToUtf8(highs);
        AddBytes(from, lows[0], highs[0], Tail(lows[1..length], highs[1..length], to));
    }

    // The state from which the given bytes lead to a target; the same one for all that end alike.
    private int Tail(ReadOnlySpan<byte> lows, ReadOnlySpan<byte> highs, int to)
    {
        if (lows.IsEmpty)
            return to;
        ulong ranges = 0;
        for (int i = 0; i < lows.Length; i++)
            ranges = (ranges << 16) | ((ulong)lows[i] << 8) | highs[i];
        if (_tails.TryGetValue((to, lows.Length, ranges), out int state))
            return state;
        state = AddState();
        _tails[(to, lows.Length, ranges)] = state;
        AddBytes(state, lows[0], highs[0], Tail(lows[1..], highs[1..], to));
        return state;
    }

    private void AddJsonCharacter(int from, CharacterSet set, int to, bool anyEscape)
    {
        AddUtf8(from, set.Intersect(Unescaped), to);
        CharacterSet escaped = anyEscape ? set : set.Except(Unescaped);
        if (escaped.IsEmpty)
            return;
        int escape = AddState();
        AddBytes(from, '\\', '\\', escape);
        for (int i = 0; i < ShortEscaped.Length; i++)
        {
            if (escaped.Contains(ShortEscaped[i]))
                AddBytes(escape, ShortEscapes[i], ShortEscapes[i], to);
        }

        if (anyEscape && escaped.Contains('/'))
            AddBytes(escape, '/', '/', to);
        AddUnicodeEscapes(escape, anyEscape ? escaped : escaped.Except(CharacterSet.Of(ShortEscaped.Select(c => ((int)c, (int)c)))), to, anyEscape);
    }

    // \uXXXX after the backslash; in two of them what is beyond the basic plane.
    private void AddUnicodeEscapes(int escape, CharacterSet set, int to, bool bothCases)
    {
        if (set.IsEmpty)
            return;
        int digits = AddState();
        AddBytes(escape, 'u', 'u', digits);
        foreach ((int first, int last) in set.Ranges)
        {
            if (first <= 0xFFFF)
                AddHex(digits, first, Math.Min(last, 0xFFFF), 4, to, bothCases);
            if (last > 0xFFFF)
                AddSurrogates(digits, Math.Max(first, 0x10000) - 0x10000, last - 0x10000, to, bothCases);
        }
    }

    private void AddSurrogates(int digits, int first, int last, int to, bool bothCases)
    {
        (int firstHigh, int firstLow) = (first >> 10, first & 0x3FF);
        (int lastHigh, int lastLow) = (last >> 10, last & 0x3FF);
        if (firstHigh != lastHigh && firstLow != 0)
        {
            AddSurrogates(digits, first, first | 0x3FF, to, bothCases);
            AddSurrogates(digits, (first | 0x3FF) + 1, last, to, bothCases);
        }
        else if (firstHigh != lastHigh && lastLow != 0x3FF)
        {
            AddSurrogates(digits, first, (last & ~0x3FF) - 1, to, bothCases);
            AddSurrogates(digits, last & ~0x3FF, last, to, bothCases);
        }
        else
        {
            int between = AddState();
            int second = AddState();
            int lows = AddState();
            AddHex(digits, 0xD800 + firstHigh, 0xD800 + lastHigh, 4, between, bothCases);
            AddBytes(between, '\\', '\\', second);
            AddBytes(second, 'u', 'u', lows);
            AddHex(lows, 0xDC00 + firstLow, 0xDC00 + lastLow, 4, to, bothCases);
        }
    }

    // The numbers of a range as hexadecimal digits.
    private void AddHex(int from, int first, int last, int digits, int to, bool bothCases)
    {
        int shift = (digits - 1) * 4;
        (int high, int end) = (first >> shift, last >> shift);
        int low = (1 << shift) - 1;
        if (high != end && (first & low) != 0)
        {
            AddHex(from, first, first | low, digits, to, bothCases);
            AddHex(from, (first | low) + 1, last, digits, to, bothCases);
        }
        else if (high != end && (last & low) != low)
        {
            AddHex(from, first, (last & ~low) - 1, digits, to, bothCases);
            AddHex(from, last & ~low, last, digits, to, bothCases);
        }
        else
        {
            int next = digits == 1 ? to : AddState();
            AddHexDigit(from, high, end, next, bothCases);
            if (digits > 1)
                AddHex(next, first & low, last & low, digits - 1, to, bothCases);
        }
    }

    private void AddHexDigit(int from, int first, int last, int to, bool bothCases)
    {
        if (first <= 9)
            AddBytes(from, '0' + first, '0' + Math.Min(last, 9), to);
        if (last <= 9)
            return;
        AddBytes(from, 'a' + Math.Max(first, 10) - 10, 'a' + last - 10, to);
        if (bothCases)
            AddBytes(from, 'A' + Math.Max(first, 10) - 10, 'A' + last - 10, to);
    }
}
