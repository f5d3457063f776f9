using System.Buffers.Binary;
using System.Numerics;
using KvTiers.Prefix;

namespace KvTiers.Orleans.Placement;

/// <summary>Tells which blocks a silo holds, in a bounded number of bytes: a Bloom filter over their hashes.</summary>
/// <remarks>
/// It never denies a block that was added. It claims one that was not with a chance of about 1 in 120 at <see cref="BitsPerBlock"/> bits each, and a run
/// is too long by that chance only. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970; two hashes make the others
/// (Kirsch and Mitzenmacher, 2006), and a block hash, being uniform, holds both.
/// </remarks>
internal sealed class BlockSummary
{
    /// <summary>Bits for each block at the least.</summary>
    public const int BitsPerBlock = 10;

    private const int Probes = 7;
    private const int LeastBytes = 64;

    private readonly byte[] _bits;

    private BlockSummary(byte[] bits) => _bits = bits;

    /// <summary>The filter; a power of two of bytes.</summary>
    public ReadOnlySpan<byte> Bits => _bits;

    /// <summary>Blocks that a summary of so many bytes can tell apart.</summary>
    public static int CapacityOf(int maxBytes) => maxBytes * 8 / BitsPerBlock;

    /// <summary>A summary of the first blocks, as many as the bytes are enough for.</summary>
    /// <param name="hashes">The blocks, those that matter most first.</param>
    /// <param name="maxBytes">A power of two from 64.</param>
    public static BlockSummary Of(IReadOnlyList<BlockHash> hashes, int maxBytes)
    {
        int count = Math.Min(hashes.Count, CapacityOf(maxBytes));
        int bytes = (int)Math.Clamp(BitOperations.RoundUpToPowerOf2((uint)((count * BitsPerBlock) + 7) / 8), LeastBytes, maxBytes);
        var summary = new BlockSummary(new byte[bytes]);
        for (int i = 0; i < count; i++)
            summary.Add(hashes[i]);
        return summary;
    }

    /// <summary>A summary that another silo sent; null when it is none.</summary>
    public static BlockSummary? Read(ReadOnlySpan<byte> bits) =>
        bits.Length >= LeastBytes && BitOperations.IsPow2(bits.Length) ? new(bits.ToArray()) : null;

    /// <summary>Leading blocks of a chain that it holds.</summary>
    public int LeadingRun(ReadOnlySpan<BlockHash> chain)
    {
        int run = 0;
        while (run < chain.Length && Holds(chain[run]))
            run++;
        return run;
    }

    /// <summary>Whether it says the same as another.</summary>
    public bool SameAs(BlockSummary? other) => other is not null && _bits.AsSpan().SequenceEqual(other._bits);

    private bool Holds(BlockHash hash)
    {
        (ulong place, ulong stride) = Halves(hash);
        for (int probe = 0; probe < Probes; probe++, place += stride)
        {
            if ((_bits[Index(place)] & Mask(place)) == 0)
                return false;
        }

        return true;
    }

    private void Add(BlockHash hash)
    {
        (ulong place, ulong stride) = Halves(hash);
        for (int probe = 0; probe < Probes; probe++, place += stride)
            _bits[Index(place)] |= Mask(place);
    }

    private int Index(ulong place) => (int)((place >> 3) & (ulong)(_bits.Length - 1));

    private static byte Mask(ulong place) => (byte)(1 << (int)(place & 7));

    private static (ulong Place, ulong Stride) Halves(BlockHash hash)
    {
        Span<byte> bytes = stackalloc byte[BlockHash.ByteCount];
        hash.CopyTo(bytes);
        return (BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) | 1);
    }
}
