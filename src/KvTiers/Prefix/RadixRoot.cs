namespace KvTiers.Prefix;

/// <summary>The point before the first block of a namespace (one model, layout and tenant).</summary>
internal sealed class RadixRoot : RadixNode
{
    public RadixRoot(BlockHash hash, int blockSize)
        : base(blockSize)
    {
        Hash = hash;
        Tenant = hash.TenantNumber;
        Root = this;
    }

    public BlockHash Hash { get; }

    /// <summary>What colder tiers know the namespace by.</summary>
    public int Tenant { get; }

    /// <summary>Blocks in the namespace.</summary>
    public int BlockCount { get; set; }
}
