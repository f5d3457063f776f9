namespace KvTiers.Inference.Kernels;

/// <summary>A number of rows that the compiler knows, so that a kernel of fewer rows is the same source with less in it.</summary>
internal interface IRows
{
    /// <summary>The number.</summary>
    static abstract int Count { get; }
}

internal readonly struct Rows0 : IRows
{
    public static int Count => 0;
}

internal readonly struct Rows1 : IRows
{
    public static int Count => 1;
}

internal readonly struct Rows2 : IRows
{
    public static int Count => 2;
}

internal readonly struct Rows3 : IRows
{
    public static int Count => 3;
}

internal readonly struct Rows4 : IRows
{
    public static int Count => 4;
}

internal readonly struct Rows6 : IRows
{
    public static int Count => 6;
}

internal readonly struct Rows8 : IRows
{
    public static int Count => 8;
}

internal readonly struct Rows12 : IRows
{
    public static int Count => 12;
}
