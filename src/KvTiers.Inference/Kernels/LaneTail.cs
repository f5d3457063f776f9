using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>The last, partly filled lanes of a row whose length is no multiple of 16.</summary>
internal static unsafe class LaneTail
{
    /// <summary>Loads the first <paramref name="count"/> lanes; the others are 0.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static TLanes Load<TLanes>(float* source, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        float* lanes = stackalloc float[ILanes<TLanes>.Count];
        new Span<float>(lanes, ILanes<TLanes>.Count).Clear();
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(lanes, count));
        return TLanes.Load(lanes);
    }

    /// <summary>Stores the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Store<TLanes>(TLanes value, float* destination, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        float* lanes = stackalloc float[ILanes<TLanes>.Count];
        TLanes.Store(value, lanes);
        new ReadOnlySpan<float>(lanes, count).CopyTo(new Span<float>(destination, count));
    }
}
