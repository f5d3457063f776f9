using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>The nonlinear functions of feed-forward layers, and the soft cap of scores and logits.</summary>
internal static class Activation
{
    /// <summary>x · σ(x), with σ(x) = 1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Silu<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> =>
        x / (TLanes.Broadcast(1f) + Exponential.Of(TLanes.Zero - x));

    /// <summary>
    /// GELU in the form with tanh: x/2 · (1 + tanh u), u = √(2/π) · (x + 0.044715 x³); computed as x · σ(2u), which is the same.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Gelu<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes cubic = TLanes.Fma(x * x * x, TLanes.Broadcast(0.044715f), x);
        return x / (TLanes.Broadcast(1f) + Exponential.Of(cubic * TLanes.Broadcast(-1.5957691216f)));
    }

    /// <summary>
    /// GELU as it is defined: x/2 · (1 + erf(x/√2)). The error function is 1 − p(t) · e^−z², t = 1 / (1 + 0.3275911 z), with a polynomial p of degree 5
    /// (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26): within 1.5e-7.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes GeluErf<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes one = TLanes.Broadcast(1f), z = TLanes.Max(x, TLanes.Zero - x) * TLanes.Broadcast(0.70710678f);
        TLanes t = one / TLanes.Fma(z, TLanes.Broadcast(0.3275911f), one);
        TLanes p = TLanes.Fma(t, TLanes.Broadcast(1.061405429f), TLanes.Broadcast(-1.453152027f));
        p = TLanes.Fma(t, p, TLanes.Broadcast(1.421413741f));
        p = TLanes.Fma(t, p, TLanes.Broadcast(-0.284496736f));
        p = TLanes.Fma(t, p, TLanes.Broadcast(0.254829592f));
        TLanes upper = p * t * Exponential.Of(TLanes.Zero - z * z); // 1 − erf(z)
        TLanes half = x * TLanes.Broadcast(0.5f);
        return TLanes.WhereLess(x, TLanes.Zero, half * upper, half * (TLanes.Broadcast(2f) - upper));
    }

    /// <summary>max(x, 0)².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Relu2<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes positive = TLanes.Max(x, TLanes.Zero);
        return positive * positive;
    }

    /// <summary>cap · tanh(x / cap), computed as cap − 2 cap / (1 + e^(2x / cap)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes SoftCap<TLanes>(TLanes x, float cap)
        where TLanes : struct, ILanes<TLanes> =>
        TLanes.Broadcast(cap) - TLanes.Broadcast(2 * cap) / (TLanes.Broadcast(1f) + Exponential.Of(x * TLanes.Broadcast(2 / cap)));
}
