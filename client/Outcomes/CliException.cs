namespace KvTiers.Cli.Outcomes;

/// <summary>A failure whose message, one line, is all that the user needs; the process exits with <see cref="ExitCodes.Error"/>.</summary>
internal sealed class CliException : Exception
{
    public CliException(string message)
        : base(message)
    {
    }

    public CliException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Lines that are written below the message: what was tried, and what to do.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];
}
