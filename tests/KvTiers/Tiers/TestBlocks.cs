using System.Runtime.InteropServices;
using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>Small blocks whose bytes follow from their number.</summary>
internal static class TestBlocks
{
    public static readonly BlockLayout Layout = new(Layers: 1, KvHeads: 1, HeadDim: 4);
    public static readonly BlockRecord Format = new(BlockCodec.Create(Layout, BlockEncoding.Hot));

    public static BlockHash Hash(int number) => BlockHash.Root("model"u8, Layout, []).Next([number]);

    public static byte[] Bytes(int number)
    {
        byte[] bytes = new byte[Layout.BytesPerBlock];
        Fill(bytes, number);
        return bytes;
    }

    /// <summary>Random numbers, all finite.</summary>
    public static void Fill(Span<byte> block, int seed)
    {
        var random = new Random(seed);
        foreach (ref float value in MemoryMarshal.Cast<byte, float>(block))
            value = random.NextSingle() - 0.5f;
    }

    public static BlockAttributes Attributes(int priority = 0, DateTimeOffset? expires = null) =>
        new() { TokenCount = 16, Priority = priority, Expires = expires };

    public static ValueTask<bool> WriteAsync(this BlockTier tier, int number, int priority = 0, DateTimeOffset? expires = null) =>
        tier.TryWriteAsync(Hash(number), Bytes(number), Attributes(priority, expires), CancellationToken.None);

    /// <summary>Reads block <paramref name="number"/>; a hit must have its very bytes.</summary>
    public static async ValueTask<bool> ReadAsync(this BlockTier tier, int number)
    {
        byte[] bytes = new byte[Layout.BytesPerBlock];
        bool hit = await tier.TryReadAsync(Hash(number), bytes);
        if (hit)
            Assert.Equal(Bytes(number), bytes);

        return hit;
    }

    public static async ValueTask<bool> TryReadAsync(this BlockTier tier, BlockHash hash, Memory<byte> block, CancellationToken cancellationToken = default) =>
        await tier.ReadAsync(hash, block, cancellationToken) is not null;

    public static async Task<int[]> HeldAsync(this BlockTier tier, IEnumerable<int> numbers)
    {
        var held = new List<int>();
        foreach (int number in numbers)
        {
            if (await tier.CountLeadingAsync(new[] { Hash(number) }, CancellationToken.None) == 1)
                held.Add(number);
        }

        return [.. held];
    }

    /// <summary>Of the blocks <paramref name="of"/>, the tier holds just the <paramref name="expected"/>.</summary>
    public static async Task AssertHoldsAsync(this BlockTier tier, int[] expected, IEnumerable<int> of)
    {
        int[] held = await tier.HeldAsync(of);
        Assert.Equal(expected, held);
    }
}
