namespace KvTiers.Clients.Tests;

/// <summary>The tests that use <see cref="ClientsServer"/>, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ClientsCollection : ICollectionFixture<ClientsServer>
{
    public const string Name = "clients";
}
