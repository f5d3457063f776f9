using KvTiers.Prefix;

namespace KvTiers.Silo.Anthropic;

/// <summary>A prefix that is kept.</summary>
/// <param name="root">The namespace.</param>
/// <param name="lastBlock">Hash of its last whole block; the root when it has none.</param>
/// <param name="tail">Its tokens after that block, fewer than a block's.</param>
internal sealed class PinnedPrefix(BlockHash root, BlockHash lastBlock, int[] tail)
{
    /// <summary>The namespace.</summary>
    public BlockHash Root { get; } = root;

    /// <summary>Hash of its last whole block; the root when it has none.</summary>
    public BlockHash LastBlock { get; } = lastBlock;

    /// <summary>Its tokens after the last whole block.</summary>
    public ReadOnlySpan<int> Tail => tail;

    /// <summary>Keeps its blocks from eviction.</summary>
    public required Pin Pin { get; set; }

    /// <summary>How long it is kept after each use.</summary>
    public required TimeSpan TimeToLive { get; set; }

    /// <summary>When it is given up unless it is used again.</summary>
    public required DateTimeOffset Until { get; set; }
}
