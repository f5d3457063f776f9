namespace KvTiers.Architecture.Tests;

/// <summary>A file of one room names a type of another room of the same project.</summary>
internal sealed record Arrow(string Project, string From, string To, string File, string Type)
{
    /// <summary>Between a room and one inside it.</summary>
    public bool IsNested => IsIn(From, To) || IsIn(To, From);

    public override string ToString() => $"{Project}: {From} names {To}: {Type} in {File}";

    private static bool IsIn(string inner, string outer) => outer == "root" || inner.StartsWith(outer + "/", StringComparison.Ordinal);
}
