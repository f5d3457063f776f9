namespace KvTiers.Cli.Outcomes;

/// <summary>What the process answers its caller with; the help of every command lists these.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Error = 1;
    public const int Usage = 2;
    public const int Interrupted = 130;
}
