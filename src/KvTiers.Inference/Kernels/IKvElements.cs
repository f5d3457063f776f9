namespace KvTiers.Inference.Kernels;

/// <summary>How the elements of a block become floats.</summary>
internal unsafe interface IKvElements
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Bytes { get; }

    /// <summary>Sixteen neighbouring elements.</summary>
    static abstract TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes>;
}
