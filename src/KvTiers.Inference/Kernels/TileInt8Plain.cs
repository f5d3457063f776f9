namespace KvTiers.Inference.Kernels;

/// <summary>Any number of quantised rows against one panel of 8-bit weights, element by element: the measure of the vector tiles.</summary>
internal static unsafe class TileInt8Plain
{
    /// <summary>
    /// Multiplies a tile. Within a group of inputs the sum is exact in 32-bit integers; the groups' sums, each times its scale, are one chain of
    /// fused multiply-adds in order.
    /// </summary>
    /// <param name="panel">A panel as <see cref="PanelInt8"/> lays it out.</param>
    /// <param name="input">[pairs, rows]: two 16-bit inputs in each.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="inputs">Elements of a row.</param>
    /// <param name="output">[rows, 32], still to be multiplied with each row's own scale.</param>
    public static void Multiply<TScales>(byte* panel, int* input, int rows, int inputs, float* output)
        where TScales : struct, IPanelScales
    {
        new Span<float>(output, rows * PackedMatrix.PanelWidth).Clear();
        for (int pairs = PanelInt8.Pairs(inputs); pairs > 0; pairs -= TScales.GroupInputs / 2)
        {
            int count = Math.Min(pairs, TScales.GroupInputs / 2);
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < PackedMatrix.PanelWidth; column++)
                {
                    sbyte* weights = (sbyte*)panel + PanelInt8.ScaleBytes + column * 2;
                    int sum = 0;
                    for (int pair = 0; pair < count; pair++, weights += PanelInt8.PairBytes)
                    {
                        int both = input[pair * rows + row];
                        sum += (short)both * weights[0] + (both >> 16) * weights[1];
                    }
                    float* target = output + row * PackedMatrix.PanelWidth + column;
                    *target = MathF.FusedMultiplyAdd(sum, PanelInt8.Scale<TScales>(panel, column), *target);
                }
            }
            panel += PanelInt8.ScaleBytes + count * PanelInt8.PairBytes;
            input += count * rows;
        }
    }
}
