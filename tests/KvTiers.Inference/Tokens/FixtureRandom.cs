using System.Text;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>The random numbers of tools/tokenizer_fixtures/text.mjs, and its sequences of marks.</summary>
internal sealed class FixtureRandom(ulong seed)
{
    private static readonly (int First, int Last)[] MarkRanges =
    [
        (0x41, 0x5a), (0xc0, 0x17f), (0x300, 0x36f), (0x300, 0x36f), (0x591, 0x5c7), (0x64b, 0x655), (0x915, 0x94d), (0x9bc, 0x9d7), (0xdca, 0xddf),
        (0xf71, 0xf84), (0x1025, 0x103a), (0x1100, 0x1112), (0x1161, 0x1175), (0x11a7, 0x11c2), (0xac00, 0xd7a3), (0x1dc0, 0x1df5), (0x1e00, 0x1eff),
        (0x1f00, 0x1fff), (0x3046, 0x309a), (0xfb1d, 0xfb4e), (0x11099, 0x110ba), (0x1d157, 0x1d172), (0x2126, 0x212b), (0xf900, 0xfaff),
    ];

    private ulong _state = seed;

    public int Next(int bound)
    {
        _state = unchecked((_state * 6364136223846793005UL) + 1442695040888963407UL);
        return (int)((_state >> 33) % (ulong)bound);
    }

    public string NextMarkSequence()
    {
        var text = new StringBuilder();
        for (int n = 1 + Next(6); n > 0; n--)
        {
            (int first, int last) = MarkRanges[Next(MarkRanges.Length)];
            text.Append(new Rune(first + Next(last - first + 1)));
        }

        return text.ToString();
    }
}
