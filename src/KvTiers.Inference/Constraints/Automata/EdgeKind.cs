namespace KvTiers.Inference.Constraints.Automata;

/// <summary>What an <see cref="Edge"/> takes.</summary>
internal enum EdgeKind : byte
{
    /// <summary>Nothing.</summary>
    Empty,

    /// <summary>One byte of a range.</summary>
    Bytes,

    /// <summary>A text of a rule.</summary>
    Call,

    /// <summary>Texts of a rule, counted. It is the only edge of its state.</summary>
    Repeat,
}
