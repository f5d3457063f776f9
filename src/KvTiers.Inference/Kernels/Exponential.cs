using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// e^x = 2^n · e^r with n = round(x / ln 2) and |r| ≤ ln 2 / 2; e^r by a polynomial of degree 6 in fused multiply-adds, ln 2 in two
/// parts. Within 2 units in the last place of the true value. Below −87 the result is 0, above 88 it is e^88.
/// </summary>
internal static class Exponential
{
    private const float Least = -87f;
    private const float Most = 88f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Of<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes most = TLanes.Broadcast(Most);
        return OfNoneAboveMost(TLanes.WhereLess(most, x, most, x));
    }

    /// <summary>The same where no lane is above 88.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes OfNoneAboveMost<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes n = TLanes.Round(x * TLanes.Broadcast(1.44269504f));
        TLanes r = TLanes.Fma(n, TLanes.Broadcast(-0.693359375f), x);
        r = TLanes.Fma(n, TLanes.Broadcast(2.12194440e-4f), r);
        TLanes e = TLanes.Broadcast(1f / 720);
        e = TLanes.Fma(e, r, TLanes.Broadcast(1f / 120));
        e = TLanes.Fma(e, r, TLanes.Broadcast(1f / 24));
        e = TLanes.Fma(e, r, TLanes.Broadcast(1f / 6));
        e = TLanes.Fma(e, r, TLanes.Broadcast(0.5f));
        e = TLanes.Fma(e, r, TLanes.Broadcast(1f));
        e = TLanes.Fma(e, r, TLanes.Broadcast(1f));
        return TLanes.WhereLess(x, TLanes.Broadcast(Least), TLanes.Zero, TLanes.Scale(e, n));
    }
}
