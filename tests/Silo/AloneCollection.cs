namespace KvTiers.Silo.Tests;

/// <summary>Tests that compare what <c>/metrics</c> counts: meters are the process's, so no other server may run in it meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
