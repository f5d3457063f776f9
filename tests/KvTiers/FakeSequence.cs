using System.Runtime.InteropServices;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tests;

/// <summary>Stands in for a model: K of a token is a digest of all tokens up to it, V the token, so wrong bytes cannot pass for right ones.</summary>
internal static class FakeSequence
{
    public static readonly BlockLayout Layout = new(Layers: 1, KvHeads: 1, HeadDim: 1, KvFormat.F32, BlockSize: 4);

    public static readonly BlockHash Root = BlockHash.Root("model"u8, Layout, "tenant"u8);

    public static KvCache CreateCache(int blocks, TimeProvider? time = null, IBlockRecipient? recipient = null) =>
        new(Layout, new KvCacheOptions { HotBlocks = blocks, Prefault = false }, time, recipient);

    /// <summary>Computes tokens: room, K and V, append.</summary>
    public static void Compute(this KvCache cache, BlockLease lease, params ReadOnlySpan<int> tokens)
    {
        Assert.True(cache.TryReserve(lease, tokens.Length));
        Write(cache, lease, tokens);
        cache.Append(lease, tokens);
    }

    /// <summary>A whole turn: the longest prefix from the cache, the rest computed, the end published.</summary>
    public static BlockLease Run(this KvCache cache, params ReadOnlySpan<int> tokens)
    {
        BlockLease lease = cache.Acquire(Root, tokens);
        cache.Compute(lease, tokens[lease.TokenCount..]);
        cache.Publish(lease);
        return lease;
    }

    public static void Write(KvCache cache, BlockLease lease, ReadOnlySpan<int> tokens)
    {
        int digest = Digest(lease.Tokens);
        for (int i = 0; i < tokens.Length; i++)
        {
            digest = Next(digest, tokens[i]);
            (int entry, int row) = Math.DivRem(lease.TokenCount + i, cache.Shape.BlockSize);
            Span<int> block = MemoryMarshal.Cast<byte, int>(cache.Pool.Bytes(lease.Table.Slots[entry]));
            block[row] = digest;
            block[cache.Shape.BlockSize + row] = tokens[i];
        }
    }

    /// <summary>Whether every token's K and V are what computing would write.</summary>
    public static bool HasRightBytes(KvCache cache, BlockLease lease)
    {
        int digest = Digest([]);
        for (int i = 0; i < lease.TokenCount; i++)
        {
            digest = Next(digest, lease.Tokens[i]);
            (int entry, int row) = Math.DivRem(i, cache.Shape.BlockSize);
            Span<int> block = MemoryMarshal.Cast<byte, int>(cache.Pool.Bytes(lease.Table.Slots[entry]));
            if (block[row] != digest || block[cache.Shape.BlockSize + row] != lease.Tokens[i]) return false;
        }

        return true;
    }

    private static int Digest(ReadOnlySpan<int> tokens)
    {
        int digest = 17;
        foreach (int token in tokens) digest = Next(digest, token);
        return digest;
    }

    private static int Next(int digest, int token) => unchecked(digest * -1640531535 + token + 1);
}
