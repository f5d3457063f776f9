namespace KvTiers.Cli.Chat;

/// <summary>What one look at a server's address found.</summary>
/// <param name="State">What is there.</param>
/// <param name="Words">The same in words: what the server, or the connection, said.</param>
internal readonly record struct ServerLook(ServerState State, string Words);
