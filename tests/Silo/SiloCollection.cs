namespace KvTiers.Silo.Tests;

/// <summary>The tests that use <see cref="SharedSilo"/>, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class SiloCollection : ICollectionFixture<SharedSilo>
{
    public const string Name = "silo";
}
