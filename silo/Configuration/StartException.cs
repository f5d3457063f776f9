namespace KvTiers.Silo.Configuration;

/// <summary>The server cannot start, for a reason the operator can mend. Each line is shown as it stands, without a stack trace.</summary>
internal sealed class StartException : Exception
{
    /// <summary>One reason per line.</summary>
    public StartException(params IReadOnlyList<string> lines)
        : base(string.Join(Environment.NewLine, lines)) => Lines = lines;

    /// <summary>One reason, and the exception it came from.</summary>
    public StartException(string line, Exception? inner)
        : base(line, inner) => Lines = [line];

    /// <summary>The reasons.</summary>
    public IReadOnlyList<string> Lines { get; }
}
