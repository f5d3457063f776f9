using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>Blocks of bfloat16.</summary>
internal readonly unsafe struct KvElementsBF16 : IKvElements
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> => TLanes.LoadBF16((ushort*)source);
}
