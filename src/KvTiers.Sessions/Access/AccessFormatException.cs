namespace KvTiers.Sessions.Access;

/// <summary>An access file breaks its rules. No line shows a key.</summary>
public sealed class AccessFormatException : FormatException
{
    /// <summary>With one line for each fault.</summary>
    public AccessFormatException(IReadOnlyList<string> faults, Exception? inner = null)
        : base(string.Join(Environment.NewLine, faults), inner) => Faults = faults;

    /// <summary>Each fault: where, what is there, and what must be.</summary>
    public IReadOnlyList<string> Faults { get; }
}
