namespace KvTiers.Inference.Kernels;

/// <summary>Any number of quantised rows against one panel of 4-bit weights, element by element: the measure of the vector tiles.</summary>
internal static unsafe class TileInt4Plain
{
    /// <summary>
    /// Multiplies a tile. Within a group of inputs the sum is exact in 32-bit integers, and as a float; the groups' sums, each times its scale and
    /// then, where there is one, its least value times its sum of inputs, are one chain of fused multiply-adds in order.
    /// </summary>
    /// <param name="panel">A panel as <see cref="PanelInt4"/> lays it out.</param>
    /// <param name="input">[pairs, rows]: two 16-bit inputs in each, those beyond the last 0.</param>
    /// <param name="sums">[groups, rows]: each group's sum of inputs.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="inputs">Elements of a row.</param>
    /// <param name="output">[rows, 32], still to be multiplied with each row's own scale.</param>
    public static void Multiply<TGroups>(byte* panel, int* input, int* sums, int rows, int inputs, float* output)
        where TGroups : struct, IInt4Groups
    {
        new Span<float>(output, rows * PackedMatrix.PanelWidth).Clear();
        for (int pairs = PanelInt4.Pairs(inputs); pairs > 0; pairs -= PanelInt4.GroupPairs)
        {
            int count = Math.Min(pairs, PanelInt4.GroupPairs);
            byte* words = panel + PanelInt4.HeaderBytes<TGroups>();
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < PackedMatrix.PanelWidth; column++)
                {
                    int sum = TGroups.Offset * sums[row];
                    for (int pair = 0; pair < count; pair++)
                    {
                        int both = input[pair * rows + row];
                        sum += (short)both * PanelInt4.Integer(words, column, 2 * pair) + (both >> 16) * PanelInt4.Integer(words, column, 2 * pair + 1);
                    }
                    float* target = output + row * PackedMatrix.PanelWidth + column;
                    *target = MathF.FusedMultiplyAdd(sum, PanelInt4.Scale(panel, column), *target);
                    if (TGroups.HasLeast)
                        *target = MathF.FusedMultiplyAdd(sums[row], PanelInt4.Scale(panel + PanelInt4.ScaleBytes, column), *target);
                }
            }
            panel = words + count / PanelInt4.WordPairs * PanelInt4.WordBytes;
            input += count * rows;
            sums += rows;
        }
    }
}
