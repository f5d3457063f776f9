namespace KvTiers.Inference.Constraints.Automata;

/// <summary>Bounds on what one constraint may take. All are counts, so that the same text is refused on every machine.</summary>
internal static class ConstraintLimits
{
    /// <summary>Characters of a schema, pattern, grammar or list.</summary>
    public const int TextLength = 262_144;

    /// <summary>How deep groups, objects and lists may stand in one another.</summary>
    public const int Depth = 200;

    /// <summary>States of the automaton before it runs. With its edges it takes about 50 bytes a state.</summary>
    public const int States = 100_000;

    /// <summary>Edges of the automaton before it runs.</summary>
    public const int Edges = 300_000;

    /// <summary>Steps of work for a part that is made deterministic at compile time.</summary>
    public const int DeterminiseSteps = 500_000;

    /// <summary>States of a part that is made deterministic at compile time.</summary>
    public const int DeterministicStates = 10_000;

    /// <summary>Readings of one text that may stand side by side.</summary>
    public const int Items = 4_096;

    /// <summary>Steps of work for one token's mask.</summary>
    public const long StepsPerMask = 4_000_000;

    /// <summary>Bytes of states that may be made before what is kept is looked at, which is done after each mask.</summary>
    public const long StepBytes = 48 << 20;

    /// <summary>Bytes of states and masks that one constraint keeps; beyond, it forgets them and makes them anew.</summary>
    public const long CachedBytes = 8 << 20;
}
