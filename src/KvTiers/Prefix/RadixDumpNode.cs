namespace KvTiers.Prefix;

/// <summary>One node of the radix tree: a run of blocks that are held, used and ranked alike.</summary>
public sealed record RadixDumpNode
{
    /// <summary>Nodes between this one and its root; a root has 0, and no blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>The hash of the node's last block, or the root hash.</summary>
    public required BlockHash Hash { get; init; }

    /// <summary>Blocks in the run.</summary>
    public required int Blocks { get; init; }

    /// <summary>Tokens in the run.</summary>
    public required int Tokens { get; init; }

    /// <summary>The run's first token ids, at most one block of them.</summary>
    public required IReadOnlyList<int> FirstTokens { get; init; }

    /// <summary>Children, also those that the dump leaves out.</summary>
    public required int Children { get; init; }

    /// <summary>Leases and pins on the path through the node.</summary>
    public required int RefCount { get; init; }

    /// <summary>Whether an edit cut the node from its conversation.</summary>
    public required bool Superseded { get; init; }

    /// <summary>The node's rank; higher stays longer.</summary>
    public required int Priority { get; init; }

    /// <summary>How long the node lives without being used; null for ever.</summary>
    public required TimeSpan? TimeToLive { get; init; }

    /// <summary>How long ago the node was released; null while it is held, and for a root.</summary>
    public required TimeSpan? Unused { get; init; }
}
