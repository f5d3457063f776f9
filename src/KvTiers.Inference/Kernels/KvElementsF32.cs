using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>Blocks of 32-bit floats.</summary>
internal readonly unsafe struct KvElementsF32 : IKvElements
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> => TLanes.Load((float*)source);
}
