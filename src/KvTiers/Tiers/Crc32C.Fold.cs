using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Tiers;

/// <content>
/// Folding by carry-less multiplication, after Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
/// Instruction" (Intel, 2009), on four 512-bit registers; and a copy that has the checksum of what it copies in the same pass.
/// </content>
internal static unsafe partial class Crc32C
{
    private const int FoldBytes = 4 * 64;

    // Copies of at least this many bytes are not read again soon enough to be worth room in the caches.
    private const int NonTemporalBytes = 16 << 10;

    private const int PieceBytes = 4 * LaneBytes;

    // x^(2048 + 31) and x^(2048 − 33) modulo the polynomial, bit-reflected: they move a register's halves over 2,048 bits.
    private const ulong ShiftLow = 0xDCB17AA4;
    private const ulong ShiftHigh = 0xB9E02B86;

    private static bool CanFold => Pclmulqdq.V512.IsSupported;

    /// <summary>Copies <paramref name="source"/> and returns its checksum; the bytes are read once.</summary>
    /// <param name="source">What is copied.</param>
    /// <param name="destination">As long as the source, and not overlapping it.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static uint Copy(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.Length != destination.Length)
            throw new ArgumentException($"The source has {source.Length} bytes and the destination {destination.Length}.", nameof(destination));

        if (CanFold && source.Length >= NonTemporalBytes)
        {
            fixed (byte* to = destination)
            {
                if ((nint)to % Vector512<byte>.Count == 0)
                    return CopyFolding(source, destination, to);
            }
        }

        return CopyByPieces(source, destination);
    }

    private static uint CopyFolding(ReadOnlySpan<byte> source, Span<byte> destination, byte* to)
    {
        int folded = source.Length / FoldBytes * FoldBytes;
        uint crc;
        fixed (byte* from = source)
            crc = Fold<PastCaches>(uint.MaxValue, from, to, folded);

        // Stores past the caches are not ordered with those that will say that the copy is there.
        Sse.StoreFence();
        source[folded..].CopyTo(destination[folded..]);
        return ~AppendByInstruction(crc, source[folded..]);
    }

    /// <summary>A piece is in the nearest cache when it is read the second time.</summary>
    internal static uint CopyByPieces(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        uint checksum = 0;
        for (int start = 0; start < source.Length; start += PieceBytes)
        {
            ReadOnlySpan<byte> piece = source.Slice(start, Math.Min(PieceBytes, source.Length - start));
            checksum = Append(checksum, piece);
            piece.CopyTo(destination[start..]);
        }

        return checksum;
    }

    private static uint Fold(uint crc, ReadOnlySpan<byte> data)
    {
        fixed (byte* from = data)
            return Fold<Nowhere>(crc, from, null, data.Length);
    }

    /// <summary>The remainder after <paramref name="byteCount"/> bytes, a multiple of <see cref="FoldBytes"/> and not zero.</summary>
    private static uint Fold<TStore>(uint crc, byte* from, byte* to, long byteCount)
        where TStore : struct, IFoldStore
    {
        Vector512<ulong> shift = Vector512.Create(Vector128.Create(ShiftLow, ShiftHigh));
        Vector512<ulong> a = Load<TStore>(from, to) ^ Vector512.CreateScalar((ulong)crc);
        Vector512<ulong> b = Load<TStore>(from + 64, to + 64);
        Vector512<ulong> c = Load<TStore>(from + 128, to + 128);
        Vector512<ulong> d = Load<TStore>(from + 192, to + 192);
        for (byte* end = from + byteCount - FoldBytes; from < end;)
        {
            from += FoldBytes;
            to += FoldBytes;
            a = Shifted(a, shift) ^ Load<TStore>(from, to);
            b = Shifted(b, shift) ^ Load<TStore>(from + 64, to + 64);
            c = Shifted(c, shift) ^ Load<TStore>(from + 128, to + 128);
            d = Shifted(d, shift) ^ Load<TStore>(from + 192, to + 192);
        }

        // What is left has the same remainder as all the bytes it stands for.
        ulong* words = stackalloc ulong[FoldBytes / sizeof(ulong)];
        a.Store(words);
        b.Store(words + 8);
        c.Store(words + 16);
        d.Store(words + 24);
        return AppendByInstruction(0, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(words, FoldBytes / sizeof(ulong))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Shifted(Vector512<ulong> value, Vector512<ulong> shift) =>
        Pclmulqdq.V512.CarrylessMultiply(value, shift, 0x00) ^ Pclmulqdq.V512.CarrylessMultiply(value, shift, 0x11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load<TStore>(byte* from, byte* to)
        where TStore : struct, IFoldStore
    {
        Vector512<ulong> value = Vector512.Load((ulong*)from);
        TStore.Store(value, to);
        return value;
    }

    private interface IFoldStore
    {
        static abstract void Store(Vector512<ulong> value, byte* to);
    }

    private readonly struct Nowhere : IFoldStore
    {
        public static void Store(Vector512<ulong> value, byte* to)
        {
        }
    }

    private readonly struct PastCaches : IFoldStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<ulong> value, byte* to) => value.StoreAlignedNonTemporal((ulong*)to);
    }
}
