namespace KvTiers.Inference.Constraints.Automata;

/// <summary>What an answer shall look like cannot be held: it is not well-formed, asks for what is not supported, or is too large.</summary>
public sealed class ConstraintException : ArgumentException
{
    /// <summary>With the reason, which names the place, the value and the rule.</summary>
    public ConstraintException(string message)
        : base(message)
    {
    }

    /// <summary>With the reason and what was behind it.</summary>
    public ConstraintException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
