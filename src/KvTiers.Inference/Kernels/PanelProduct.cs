using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Up to six rows times a panel of up to 64 columns of floats, all sums in registers. Every sum is one chain of fused multiply-adds over the
/// panel's rows in order, starting at 0; a factor of 0 leaves it as it is.
/// </summary>
internal static unsafe class PanelProduct
{
    /// <summary>Rows at most.</summary>
    public const int MostRows = 6;

    /// <summary>Multiplies all columns, as many at a time as there are registers for.</summary>
    /// <param name="rows">[rowCount, rowStride], of which the first <paramref name="count"/> of each are multiplied.</param>
    /// <param name="rowStride">Elements from row to row.</param>
    /// <param name="rowCount">Rows, 1 to <see cref="MostRows"/>.</param>
    /// <param name="panel">[count, panelStride].</param>
    /// <param name="panelStride">Elements from row to row of the panel.</param>
    /// <param name="columns">Columns, a multiple of 16.</param>
    /// <param name="count">Length of the chains.</param>
    /// <param name="scale">Factor on every finished sum.</param>
    /// <param name="sums">[rowCount, sumStride].</param>
    /// <param name="sumStride">Elements from row to row of the sums.</param>
    public static void Run<TLanes>(
        float* rows, int rowStride, int rowCount, float* panel, int panelStride, int columns, int count, float scale, float* sums, int sumStride)
        where TLanes : struct, ILanes<TLanes>
    {
        Factors factors = new(rows, rowStride, count, scale);
        for (int column = 0; column < columns;)
        {
            int vectors = TLanes.Registers == 1 ? Math.Min((columns - column) / 16, 4) : 1;
            float* from = panel + column, to = sums + column;
            switch (vectors)
            {
                case 1:
                    Run<TLanes, Rows1>(factors, rowCount, from, panelStride, to, sumStride);
                    break;
                case 2:
                    Run<TLanes, Rows2>(factors, rowCount, from, panelStride, to, sumStride);
                    break;
                case 3:
                    Run<TLanes, Rows3>(factors, rowCount, from, panelStride, to, sumStride);
                    break;
                default:
                    Run<TLanes, Rows4>(factors, rowCount, from, panelStride, to, sumStride);
                    break;
            }
            column += vectors * 16;
        }
    }

    private static void Run<TLanes, TVectors>(Factors factors, int rowCount, float* panel, int panelStride, float* sums, int sumStride)
        where TLanes : struct, ILanes<TLanes>
        where TVectors : struct, IRows
    {
        switch (rowCount)
        {
            case 1:
                Run<TLanes, Rows1, TVectors>(factors, panel, panelStride, sums, sumStride);
                break;
            case 2:
                Run<TLanes, Rows2, TVectors>(factors, panel, panelStride, sums, sumStride);
                break;
            case 3:
                Run<TLanes, Rows3, TVectors>(factors, panel, panelStride, sums, sumStride);
                break;
            case 4:
                Run<TLanes, Rows4, TVectors>(factors, panel, panelStride, sums, sumStride);
                break;
            case 5:
                Run<TLanes, Rows4, TVectors>(factors, panel, panelStride, sums, sumStride);
                Run<TLanes, Rows1, TVectors>(factors.Skip(4), panel, panelStride, sums + 4 * sumStride, sumStride);
                break;
            default:
                Run<TLanes, Rows6, TVectors>(factors, panel, panelStride, sums, sumStride);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TLanes, TRows, TVectors>(Factors factors, float* panel, int panelStride, float* sums, int sumStride)
        where TLanes : struct, ILanes<TLanes>
        where TRows : struct, IRows
        where TVectors : struct, IRows
    {
        float* row0 = factors.Rows;
        float* row1 = TRows.Count > 1 ? row0 + factors.Stride : row0;
        float* row2 = TRows.Count > 2 ? row1 + factors.Stride : row0;
        float* row3 = TRows.Count > 3 ? row2 + factors.Stride : row0;
        float* row4 = TRows.Count > 4 ? row3 + factors.Stride : row0;
        float* row5 = TRows.Count > 5 ? row4 + factors.Stride : row0;
        TLanes s00 = TLanes.Zero, s01 = TLanes.Zero, s02 = TLanes.Zero, s03 = TLanes.Zero;
        TLanes s10 = TLanes.Zero, s11 = TLanes.Zero, s12 = TLanes.Zero, s13 = TLanes.Zero;
        TLanes s20 = TLanes.Zero, s21 = TLanes.Zero, s22 = TLanes.Zero, s23 = TLanes.Zero;
        TLanes s30 = TLanes.Zero, s31 = TLanes.Zero, s32 = TLanes.Zero, s33 = TLanes.Zero;
        TLanes s40 = TLanes.Zero, s41 = TLanes.Zero, s42 = TLanes.Zero, s43 = TLanes.Zero;
        TLanes s50 = TLanes.Zero, s51 = TLanes.Zero, s52 = TLanes.Zero, s53 = TLanes.Zero;
        int count = factors.Count;
        for (int k = 0; k < count; k++, panel += panelStride)
        {
            TLanes p0 = TLanes.Load(panel);
            TLanes p1 = TVectors.Count > 1 ? TLanes.Load(panel + 16) : TLanes.Zero;
            TLanes p2 = TVectors.Count > 2 ? TLanes.Load(panel + 32) : TLanes.Zero;
            TLanes p3 = TVectors.Count > 3 ? TLanes.Load(panel + 48) : TLanes.Zero;
            TLanes x = TLanes.Broadcast(row0[k]);
            Add<TLanes, TVectors>(x, p0, p1, p2, p3, ref s00, ref s01, ref s02, ref s03);
            if (TRows.Count > 1)
            {
                x = TLanes.Broadcast(row1[k]);
                Add<TLanes, TVectors>(x, p0, p1, p2, p3, ref s10, ref s11, ref s12, ref s13);
            }
            if (TRows.Count > 2)
            {
                x = TLanes.Broadcast(row2[k]);
                Add<TLanes, TVectors>(x, p0, p1, p2, p3, ref s20, ref s21, ref s22, ref s23);
            }
            if (TRows.Count > 3)
            {
                x = TLanes.Broadcast(row3[k]);
                Add<TLanes, TVectors>(x, p0, p1, p2, p3, ref s30, ref s31, ref s32, ref s33);
            }
            if (TRows.Count > 4)
            {
                x = TLanes.Broadcast(row4[k]);
                Add<TLanes, TVectors>(x, p0, p1, p2, p3, ref s40, ref s41, ref s42, ref s43);
            }
            if (TRows.Count > 5)
            {
                x = TLanes.Broadcast(row5[k]);
                Add<TLanes, TVectors>(x, p0, p1, p2, p3, ref s50, ref s51, ref s52, ref s53);
            }
        }
        TLanes scale = TLanes.Broadcast(factors.Scale);
        Store<TLanes, TVectors>(s00, s01, s02, s03, scale, sums);
        if (TRows.Count > 1)
            Store<TLanes, TVectors>(s10, s11, s12, s13, scale, sums + sumStride);
        if (TRows.Count > 2)
            Store<TLanes, TVectors>(s20, s21, s22, s23, scale, sums + 2 * sumStride);
        if (TRows.Count > 3)
            Store<TLanes, TVectors>(s30, s31, s32, s33, scale, sums + 3 * sumStride);
        if (TRows.Count > 4)
            Store<TLanes, TVectors>(s40, s41, s42, s43, scale, sums + 4 * sumStride);
        if (TRows.Count > 5)
            Store<TLanes, TVectors>(s50, s51, s52, s53, scale, sums + 5 * sumStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TLanes, TVectors>(
        TLanes x, TLanes p0, TLanes p1, TLanes p2, TLanes p3, ref TLanes s0, ref TLanes s1, ref TLanes s2, ref TLanes s3)
        where TLanes : struct, ILanes<TLanes>
        where TVectors : struct, IRows
    {
        s0 = TLanes.Fma(x, p0, s0);
        if (TVectors.Count > 1)
            s1 = TLanes.Fma(x, p1, s1);
        if (TVectors.Count > 2)
            s2 = TLanes.Fma(x, p2, s2);
        if (TVectors.Count > 3)
            s3 = TLanes.Fma(x, p3, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLanes, TVectors>(TLanes s0, TLanes s1, TLanes s2, TLanes s3, TLanes scale, float* sums)
        where TLanes : struct, ILanes<TLanes>
        where TVectors : struct, IRows
    {
        TLanes.Store(s0 * scale, sums);
        if (TVectors.Count > 1)
            TLanes.Store(s1 * scale, sums + 16);
        if (TVectors.Count > 2)
            TLanes.Store(s2 * scale, sums + 32);
        if (TVectors.Count > 3)
            TLanes.Store(s3 * scale, sums + 48);
    }

    /// <summary>The rows and what is done with them.</summary>
    private readonly struct Factors(float* rows, int stride, int count, float scale)
    {
        public readonly float* Rows = rows;
        public readonly int Stride = stride;
        public readonly int Count = count;
        public readonly float Scale = scale;

        public Factors Skip(int rows) => new(Rows + rows * Stride, Stride, Count, Scale);
    }
}
