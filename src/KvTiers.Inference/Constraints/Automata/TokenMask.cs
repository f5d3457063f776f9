namespace KvTiers.Inference.Constraints.Automata;

/// <summary>The tokens that may follow.</summary>
/// <param name="Allowed">[⌈vocabulary / 64⌉]: bit id % 64 of word id / 64. Without the tokens that end the text.</param>
/// <param name="AllowedOrEnd">With them, where the text may end; else the same.</param>
internal sealed record TokenMask(ulong[] Allowed, ulong[] AllowedOrEnd)
{
    public long Bytes => 64 + (8L * (Allowed.Length + (ReferenceEquals(Allowed, AllowedOrEnd) ? 0 : AllowedOrEnd.Length)));
}
