using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Keys;

/// <summary>GHASH of NIST SP 800-38D under one hash key, over data that is authenticated and not encrypted, 32 blocks of 16 bytes at a time.</summary>
/// <remarks>
/// After Gueron and Kounavis, "Intel Carry-Less Multiplication Instruction and its Usage for Computing the GCM Mode" (2010): blocks are multiplied by descending
/// powers of the hash key, and reduced together. Bytes of a block are turned round, so a register's highest bit is the coefficient of x⁰; the powers are
/// divided by x, which makes up for the bit by which a product of such registers is too low. No branch or address depends on data or key. Thread-safe.
/// </remarks>
internal sealed unsafe class Ghash
{
    public const int BlockBytes = 16;

    private const int VectorBytes = 64;
    private const int VectorsAtOnce = 8;
    private const int BlocksAtOnce = VectorsAtOnce * VectorBytes / BlockBytes;

    // x¹²⁷ + x⁶ + x + 1, which is 1/x; and its upper half, by which what is below is reduced.
    private static readonly UInt128 Inverse = new(0xC200_0000_0000_0000, 1);
    private static readonly Vector128<ulong> Reducer = Vector128.CreateScalar(0xC200_0000_0000_0000);

    // H³² … H²⁹, …, H⁴ … H¹, each divided by x.
    private readonly Vector512<ulong>[] _powers = new Vector512<ulong>[VectorsAtOnce];
    private readonly Vector128<ulong> _key;

    /// <param name="hashKey">H: the block cipher of zeros.</param>
    public Ghash(ReadOnlySpan<byte> hashKey)
    {
        UInt128 bits = BinaryPrimitives.ReadUInt128BigEndian(hashKey);
        bits = (bits << 1) ^ ((bits >> 127) == 0 ? 0 : Inverse);
        _key = Vector128.Create((ulong)bits, (ulong)(bits >> 64));
        var powers = new Vector128<ulong>[BlocksAtOnce];
        powers[^1] = _key;
        for (int i = BlocksAtOnce - 2; i >= 0; i--)
            powers[i] = Multiply(powers[i + 1], _key);
        for (int i = 0; i < VectorsAtOnce; i++)
        {
            _powers[i] = Vector512.Create(
                Vector256.Create(powers[4 * i], powers[(4 * i) + 1]), Vector256.Create(powers[(4 * i) + 2], powers[(4 * i) + 3]));
        }
    }

    /// <summary>Whether this processor has the instructions.</summary>
    public static bool IsSupported => Pclmulqdq.V512.IsSupported && Avx512BW.IsSupported;

    /// <summary>Adds the hash of <paramref name="data"/> to <paramref name="tag"/>, which holds what masks it.</summary>
    public void Mask(ReadOnlySpan<byte> data, Span<byte> tag)
    {
        int whole = data.Length / VectorBytes * VectorBytes;
        Vector128<ulong> hash = Whole(data[..whole]);

        // The last blocks, filled up with zeros, and one of the length in bits.
        Span<byte> last = stackalloc byte[VectorBytes + BlockBytes];
        last.Clear();
        data[whole..].CopyTo(last);
        int rest = (data.Length - whole + BlockBytes - 1) / BlockBytes * BlockBytes;
        BinaryPrimitives.WriteInt64BigEndian(last[rest..], 8L * data.Length);
        for (int at = 0; at <= rest; at += BlockBytes)
            hash = Multiply(hash ^ Reversed(Vector128.Create<byte>(last.Slice(at, BlockBytes))), _key);
        (Reversed(hash.AsByte()).AsByte() ^ Vector128.Create<byte>(tag)).CopyTo(tag);
    }

    private Vector128<ulong> Whole(ReadOnlySpan<byte> data)
    {
        Vector128<ulong> hash = Vector128<ulong>.Zero;
        fixed (byte* start = data)
        fixed (Vector512<ulong>* powers = _powers)
        {
            byte* from = start;
            for (byte* end = start + data.Length; from < end;)
            {
                int count = Math.Min(VectorsAtOnce, (int)((end - from) / VectorBytes));
                hash = Next(hash, from, powers + VectorsAtOnce - count, count);
                from += count * VectorBytes;
            }
        }

        return hash;
    }

    /// <summary>The hash after so many vectors, whose first power is the highest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Next(Vector128<ulong> hash, byte* from, Vector512<ulong>* powers, int count)
    {
        Vector512<byte> reversal = Vector512.Create(Reversal);
        Vector512<ulong> before = Vector512.Create(Vector256.Create(hash, Vector128<ulong>.Zero), Vector256<ulong>.Zero);
        Vector512<ulong> low = Vector512<ulong>.Zero, middle = low, high = low;

        // The first vector last: it alone waits for the hash before, and the others are done meanwhile.
        for (int i = count - 1; i >= 0; i--)
        {
            Vector512<ulong> blocks = Avx512BW.Shuffle(Vector512.Load(from + (i * VectorBytes)), reversal).AsUInt64(), power = powers[i];
            if (i == 0)
                blocks ^= before;
            low ^= Pclmulqdq.V512.CarrylessMultiply(blocks, power, 0x00);
            middle ^= Pclmulqdq.V512.CarrylessMultiply(blocks, power, 0x01) ^ Pclmulqdq.V512.CarrylessMultiply(blocks, power, 0x10);
            high ^= Pclmulqdq.V512.CarrylessMultiply(blocks, power, 0x11);
        }

        return Reduced(Sum(low), Sum(middle), Sum(high));
    }

    private static Vector128<ulong> Multiply(Vector128<ulong> value, Vector128<ulong> power) => Reduced(
        Pclmulqdq.CarrylessMultiply(value, power, 0x00),
        Pclmulqdq.CarrylessMultiply(value, power, 0x01) ^ Pclmulqdq.CarrylessMultiply(value, power, 0x10),
        Pclmulqdq.CarrylessMultiply(value, power, 0x11));

    /// <summary>The remainder of low + middle · 2⁶⁴ + high · 2¹²⁸: the lowest 64 bits go first, then the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Reduced(Vector128<ulong> low, Vector128<ulong> middle, Vector128<ulong> high)
    {
        middle ^= Swapped(low) ^ Pclmulqdq.CarrylessMultiply(low, Reducer, 0x00);
        return high ^ Swapped(middle) ^ Pclmulqdq.CarrylessMultiply(middle, Reducer, 0x00);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Sum(Vector512<ulong> lanes)
    {
        Vector256<ulong> half = lanes.GetLower() ^ lanes.GetUpper();
        return half.GetLower() ^ half.GetUpper();
    }

    private static Vector128<ulong> Swapped(Vector128<ulong> value) => Vector128.Shuffle(value, Vector128.Create(1ul, 0));

    private static Vector128<ulong> Reversed(Vector128<byte> block) => Vector128.Shuffle(block, Reversal).AsUInt64();

    private static Vector128<byte> Reversal => Vector128.Create((byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}
