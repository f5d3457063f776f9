namespace KvTiers.Inference.Kernels;

/// <summary>
/// Sixteen floats that are computed side by side. Every kernel but <see cref="MatMul"/> is written once over this, so all paths
/// do the same operations in the same order and yield the same bits.
/// </summary>
/// <typeparam name="TSelf">The implementing type.</typeparam>
internal unsafe interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Lanes of a value; also the tokens of a block.</summary>
    const int Count = 16;

    /// <summary>Vector registers that a value takes: 1 or 2. Kernels keep fewer sums at a time when it is 2.</summary>
    static abstract int Registers { get; }

    static abstract TSelf Zero { get; }

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* source);

    /// <summary>Sixteen bfloat16 values, one after the other.</summary>
    static abstract TSelf LoadBF16(ushort* source);

    static abstract void Store(TSelf value, float* destination);

    /// <summary>The nearest whole numbers, ties to even, as 16-bit integers; the value is within their range.</summary>
    static abstract void StoreInt16(TSelf value, short* destination);

    /// <summary>Rounds as <see cref="BFloat16.Round"/>, one after the other.</summary>
    static abstract void StoreBF16(TSelf value, ushort* destination);

    /// <summary>left × right + addend, rounded once.</summary>
    static abstract TSelf Fma(TSelf left, TSelf right, TSelf addend);

    /// <summary>left where it is greater, else right.</summary>
    static abstract TSelf Max(TSelf left, TSelf right);

    /// <summary>The nearest whole number, ties to even.</summary>
    static abstract TSelf Round(TSelf value);

    /// <summary>value × 2^exponent for whole exponents; value and result are normal numbers.</summary>
    static abstract TSelf Scale(TSelf value, TSelf exponent);

    /// <summary><paramref name="then"/> where value is less than limit, else <paramref name="otherwise"/>.</summary>
    static abstract TSelf WhereLess(TSelf value, TSelf limit, TSelf then, TSelf otherwise);

    /// <summary>The sum over all lanes as a tree: lane i and i + 8, then i + 4, i + 2, i + 1.</summary>
    static abstract float Sum(TSelf value);

    /// <summary>The greatest lane.</summary>
    static abstract float Largest(TSelf value);
}
