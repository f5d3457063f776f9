namespace KvTiers.Cli.Outcomes;

/// <summary>Options that parse one by one but not together; the process exits with <see cref="ExitCodes.Usage"/>.</summary>
internal sealed class UsageException : Exception
{
    public UsageException(string message)
        : base(message)
    {
    }
}
