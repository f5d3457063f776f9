using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvTiers.Tiers;

/// <summary>CRC-32C (Castagnoli, reflected, initial value and final xor all ones), as in RFC 3720.</summary>
/// <remarks>
/// Where the processor multiplies without carries 512 bits at a time, long input is folded that way (<c>Crc32C.Fold.cs</c>).
/// Else by its CRC instruction, which has a latency of three cycles and a throughput of one, so four lanes run side by side over
/// <c>4 × LaneBytes</c> of input. They are joined by shifting a lane's remainder over the bytes that follow it:
/// remainders are linear, so the shift by a fixed distance is four table look-ups.
/// </remarks>
internal static partial class Crc32C
{
    private const int LaneBytes = 1024;

    private static readonly uint[] ShiftOneLane = CreateShiftTable(LaneBytes);
    private static readonly uint[] ShiftTwoLanes = CreateShiftTable(2 * LaneBytes);
    private static readonly uint[] ShiftThreeLanes = CreateShiftTable(3 * LaneBytes);

    /// <summary>The checksum of <paramref name="data"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>Continues <paramref name="checksum"/> (0 for none yet) over <paramref name="data"/>.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> data)
    {
        uint crc = ~checksum;
        if (CanFold && data.Length >= FoldBytes)
        {
            int folded = data.Length / FoldBytes * FoldBytes;
            crc = Fold(crc, data[..folded]);
            data = data[folded..];
        }

        return ~AppendByInstruction(crc, data);
    }

    /// <summary>As <see cref="Append"/>, without the last step's xor, and without folding.</summary>
    internal static uint AppendByInstruction(uint crc, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 4 * LaneBytes)
        {
            crc = FourLanes(crc, MemoryMarshal.Cast<byte, ulong>(data[..(4 * LaneBytes)]));
            data = data[(4 * LaneBytes)..];
        }

        while (data.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, MemoryMarshal.Read<ulong>(data));
            data = data[sizeof(ulong)..];
        }

        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);

        return crc;
    }

    private static uint FourLanes(uint crc, ReadOnlySpan<ulong> words)
    {
        const int Words = LaneBytes / sizeof(ulong);
        ref ulong first = ref MemoryMarshal.GetReference(words);
        uint a = crc, b = 0, c = 0, d = 0;
        for (int i = 0; i < Words; i++)
        {
            a = BitOperations.Crc32C(a, Unsafe.Add(ref first, i));
            b = BitOperations.Crc32C(b, Unsafe.Add(ref first, i + Words));
            c = BitOperations.Crc32C(c, Unsafe.Add(ref first, i + (2 * Words)));
            d = BitOperations.Crc32C(d, Unsafe.Add(ref first, i + (3 * Words)));
        }

        return Shift(ShiftThreeLanes, a) ^ Shift(ShiftTwoLanes, b) ^ Shift(ShiftOneLane, c) ^ d;
    }

    private static uint Shift(uint[] table, uint crc) =>
        table[crc & 0xFF] ^ table[256 + ((crc >> 8) & 0xFF)] ^ table[512 + ((crc >> 16) & 0xFF)] ^ table[768 + (crc >> 24)];

    private static uint[] CreateShiftTable(int zeroBytes)
    {
        var bits = new uint[32];
        for (int bit = 0; bit < 32; bit++)
        {
            uint crc = 1u << bit;
            for (int i = 0; i < zeroBytes; i += sizeof(ulong))
                crc = BitOperations.Crc32C(crc, 0UL);

            bits[bit] = crc;
        }

        var table = new uint[4 * 256];
        for (int lane = 0; lane < 4; lane++)
        {
            for (int value = 0; value < 256; value++)
            {
                uint crc = 0;
                for (int bit = 0; bit < 8; bit++)
                    crc ^= (value >> bit & 1) != 0 ? bits[(8 * lane) + bit] : 0;

                table[(256 * lane) + value] = crc;
            }
        }

        return table;
    }
}
