namespace KvTiers.Cli.Terminals;

/// <summary>How the reading of a line ended.</summary>
internal enum LineEnd
{
    /// <summary>A line was entered.</summary>
    Entered,

    /// <summary>There is no more input.</summary>
    EndOfInput,

    /// <summary>Ctrl-C.</summary>
    Interrupted,
}
