using System.Numerics;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints;

/// <summary>One text under a constraint: where it stands. Used by one owner at a time.</summary>
/// <param name="constraint">What may be said.</param>
/// <param name="mayEnd">False when tokens that end the text do not end it, and so are not allowed.</param>
internal sealed class ConstrainedText(Constraint constraint, bool mayEnd)
{
    private AutomatonState _state = constraint.Start;

    /// <summary>True when the text is complete and nothing may follow.</summary>
    public bool IsComplete => _state is { Accepts: true, IsFinal: true };

    /// <summary>[⌈vocabulary / 64⌉]: the tokens that may follow, at least one.</summary>
    /// <exception cref="ConstraintException">The readings of the text are too many.</exception>
    public ReadOnlySpan<ulong> Allowed()
    {
        TokenMask mask = constraint.MaskOf(_state);
        return mayEnd ? mask.AllowedOrEnd : mask.Allowed;
    }

    /// <summary>As <see cref="Allowed()"/>. Of what it allows, one token at least is not banned.</summary>
    /// <exception cref="ConstraintException">The readings of the text are too many, or all tokens that may follow are banned.</exception>
    public ReadOnlySpan<ulong> Allowed(List<int> bans)
    {
        ReadOnlySpan<ulong> allowed = Allowed();
        if (bans.Count == 0)
            return allowed;
        int left = 0;
        foreach (ulong word in allowed)
            left += BitOperations.PopCount(word);
        for (int i = 0; i < bans.Count; i++)
        {
            int word = bans[i] / 64;
            bool isAllowed = word < allowed.Length && ((allowed[word] >> (bans[i] % 64)) & 1) != 0;
            left -= isAllowed && bans.IndexOf(bans[i]) == i ? 1 : 0;
        }

        return left > 0 ? allowed : throw new ConstraintException("Bad words, or the least number of tokens, ban every token that the constraint allows here.");
    }

    /// <summary>The one token of a mask; −1 when there are several.</summary>
    public static int OnlyOne(ReadOnlySpan<ulong> allowed)
    {
        int only = -1;
        for (int word = 0; word < allowed.Length; word++)
        {
            if (allowed[word] == 0)
                continue;
            if (only >= 0 || !BitOperations.IsPow2(allowed[word]))
                return -1;
            only = (word * 64) + BitOperations.TrailingZeroCount(allowed[word]);
        }

        return only;
    }

    /// <summary>Takes a token that does not end the text.</summary>
    /// <exception cref="ArgumentException">It is not allowed.</exception>
    public void Append(int token) => _state = constraint.Advance(_state, token);
}
