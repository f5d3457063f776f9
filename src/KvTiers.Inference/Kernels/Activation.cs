using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>The nonlinear functions of feed-forward layers.</summary>
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
}
