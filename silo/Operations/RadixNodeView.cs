using KvTiers.Inference.Tokens;
using KvTiers.Prefix;

namespace KvTiers.Silo.Operations;

/// <summary>One node of the radix tree: a run of blocks that are held, used and ranked alike.</summary>
internal sealed record RadixNodeView
{
    /// <summary>Nodes between this one and its root.</summary>
    public required int Depth { get; init; }

    /// <summary>The hash of the node's last block, or the root hash.</summary>
    public required string Hash { get; init; }

    /// <summary>Blocks in the run.</summary>
    public required int Blocks { get; init; }

    /// <summary>Tokens in the run.</summary>
    public required int Tokens { get; init; }

    /// <summary>How the run begins, at most one block of it.</summary>
    public required string Text { get; init; }

    /// <summary>Children, also those that the view leaves out.</summary>
    public required int Children { get; init; }

    /// <summary>Leases and pins on the path through the node.</summary>
    public required int RefCount { get; init; }

    /// <summary>Whether an edit cut the node from its conversation.</summary>
    public required bool Superseded { get; init; }

    /// <summary>The node's rank; higher stays longer.</summary>
    public required int Priority { get; init; }

    /// <summary>How long the node lives without being used, in seconds; null = for ever.</summary>
    public required double? TtlSeconds { get; init; }

    /// <summary>How long ago the node was released, in seconds; null while it is held, and for a root.</summary>
    public required double? UnusedSeconds { get; init; }

    /// <summary>A node with its tokens' text.</summary>
    public static RadixNodeView Of(RadixDumpNode node, Tokenizer tokenizer) => new()
    {
        Depth = node.Depth,
        Hash = node.Hash.ToString(),
        Blocks = node.Blocks,
        Tokens = node.Tokens,
        Text = tokenizer.Decode([.. node.FirstTokens], skipSpecial: false),
        Children = node.Children,
        RefCount = node.RefCount,
        Superseded = node.Superseded,
        Priority = node.Priority,
        TtlSeconds = node.TimeToLive?.TotalSeconds,
        UnusedSeconds = node.Unused?.TotalSeconds,
    };
}
