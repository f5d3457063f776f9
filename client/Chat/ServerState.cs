namespace KvTiers.Cli.Chat;

/// <summary>What is found at a server's address.</summary>
internal enum ServerState
{
    /// <summary>Nothing accepts connections.</summary>
    Absent,

    /// <summary>A server that is not ready for requests.</summary>
    NotReady,

    /// <summary>A server that is ready.</summary>
    Ready,

    /// <summary>Something that is no server of this project.</summary>
    Foreign,
}
