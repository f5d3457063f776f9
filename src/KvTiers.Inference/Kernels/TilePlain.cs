namespace KvTiers.Inference.Kernels;

/// <summary>Any number of rows against one panel of 32 outputs, element by element: the measure of the vector tiles.</summary>
internal static unsafe class TilePlain
{
    /// <summary>Multiplies a tile: every output is one chain of fused multiply-adds over the inputs in order.</summary>
    /// <param name="panel">[inputs] panel rows.</param>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="rows">Rows that there are.</param>
    /// <param name="slots">Rows of the kernel, where a vector tile puts them (<see cref="TileRows"/>).</param>
    /// <param name="inputs">Length of the chains.</param>
    /// <param name="output">[slots, 32].</param>
    public static void Multiply<TWeights>(byte* panel, float* input, int rows, int slots, int inputs, float* output)
        where TWeights : struct, IPanelWeights
    {
        for (int row = 0; row < rows; row++, input += inputs)
        {
            float* sums = output + TileRows.Slot(row, slots, rows) * PackedMatrix.PanelWidth;
            for (int column = 0; column < PackedMatrix.PanelWidth; column++)
            {
                float sum = 0;
                for (int k = 0; k < inputs; k++)
                    sum = MathF.FusedMultiplyAdd(input[k], TWeights.Load(panel + (long)k * TWeights.RowBytes, column), sum);
                sums[column] = sum;
            }
        }
    }
}
