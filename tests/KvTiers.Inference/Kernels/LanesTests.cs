using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class LanesTests
{
    private const int Results = 14 * 16 + 2;

    [Fact]
    public void EveryPathYieldsTheSameBits()
    {
        using NativeBuffer values = KernelPathData.Random(1600, 1), plain = new(100 * Results * sizeof(float)), other = new(100 * Results * sizeof(float));
        for (int i = 0; i < 1600; i++)
            values.Floats[i] *= i % 7 == 0 ? 40 : i % 5 == 0 ? 0 : 3;
        int count = Compute<LanesPlain>(values.Floats, plain.Floats);
        float[] expected = KernelPathData.ToArray(plain, count);
        if (KernelPaths.IsSupported(KernelPath.Avx2))
        {
            Compute<Lanes256>(values.Floats, other.Floats);
            KernelPathData.AssertSameBits(expected, KernelPathData.ToArray(other, count));
        }
        if (KernelPaths.IsSupported(KernelPath.Avx512))
        {
            Compute<Lanes512>(values.Floats, other.Floats);
            KernelPathData.AssertSameBits(expected, KernelPathData.ToArray(other, count));
        }
    }

    [Fact]
    public void EveryPathRoundsToBFloat16AsOneByOne()
    {
        uint[] bits =
        [
            0, 0x80000000, 0x7F800000, 0xFF800000, 0x7F800001, 0x7FFFFFFF, 0xFFC12345, 0x7F7FFFFF,
            0x3F808000, 0x3F818000, 0x3F808001, 0x3F817FFF, 0x00000001, 0x80008000, 0xBF80FFFF, 0x12345678,
        ];
        fixed (uint* values = bits)
        {
            foreach (KernelPath path in KernelPathData.Supported)
            {
                ushort[] rounded = new ushort[16];
                fixed (ushort* target = rounded)
                {
                    if (path == KernelPath.Avx512)
                        Lanes512.StoreBF16(Lanes512.Load((float*)values), target);
                    else if (path == KernelPath.Avx2)
                        Lanes256.StoreBF16(Lanes256.Load((float*)values), target);
                    else
                        LanesPlain.StoreBF16(LanesPlain.Load((float*)values), target);
                }
                Assert.Equal(bits.Select(value => BFloat16.Round(BitConverter.UInt32BitsToSingle(value))), rounded);
            }
        }
    }

    // Every operation of ILanes, on 100 vectors: 14 vectors and 2 floats of results for each.
    private static int Compute<TLanes>(float* values, float* results)
        where TLanes : struct, ILanes<TLanes>
    {
        float* result = results;
        short* integers = stackalloc short[16];
        TLanes before = TLanes.Broadcast(0.7f);
        for (int i = 0; i < 1600; i += 16)
        {
            TLanes x = TLanes.Load(values + i);
            foreach (TLanes y in (TLanes[])
                [x + before, x - before, x * before, before / x, TLanes.Max(x, before), TLanes.Round(x), Exponential.Of(x), Activation.Gelu(x), Activation.Silu(x),
                    TLanes.Fma(x, before, x), TLanes.WhereLess(x, before, x, before), TLanes.LoadBF16((ushort*)(values + i))])
            {
                // What LoadBF16 makes of arbitrary bits may be NaN, whose bits are not fixed by arithmetic but are by a load.
                TLanes.Store(y, result);
                result += 16;
            }
            TLanes.StoreInt16(x * TLanes.Broadcast(100.5f), integers);
            for (int lane = 0; lane < 16; lane++)
                *result++ = integers[lane];
            TLanes.StoreBF16(x, (ushort*)integers);
            for (int lane = 0; lane < 16; lane++)
                *result++ = (ushort)integers[lane];
            *result++ = TLanes.Sum(x);
            *result++ = TLanes.Largest(x);
            before = x;
        }
        return (int)(result - results);
    }
}
