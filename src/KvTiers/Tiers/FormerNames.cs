using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tiers;

/// <summary>What a few callers still call by its former name. It goes with the last of them.</summary>
internal static class FormerNames
{
    extension(KvCache cache)
    {
        public BlockShape Layout => cache.Shape;

        public int Extend(BlockLease lease, ReadOnlySpan<int> tokens) => cache.Rematch(lease, tokens);

        public Task DeparturesAsync() => cache.EvictionsAsync();

        public Task? DepartureOf(ReadOnlyMemory<BlockHash> hashes) => cache.EvictionOf(hashes);
    }

    extension(BlockCodec codec)
    {
        public BlockShape Layout => codec.Shape;
    }

    extension(PromotionResult result)
    {
        public int HeldBlocks => result.FoundBlocks;
    }

    extension(PromotionTotals totals)
    {
        public long HeldBlocks => totals.FoundBlocks;
    }
}
