namespace KvTiers.Prefix;

/// <summary>The point before the first block of a namespace (one model, layout and tenant).</summary>
internal sealed class RadixRoot(BlockHash hash, int blockSize) : RadixNode(blockSize)
{
    public BlockHash Hash { get; } = hash;
}
