namespace KvTiers.Inference.Kernels;

/// <summary>Any number of rows against one panel of 32 outputs, element by element: the measure of the vector tiles.</summary>
internal static unsafe class TilePlain
{
    /// <summary>Multiplies a tile: every output is one chain of fused multiply-adds over the inputs in order.</summary>
    /// <param name="panel">[inputs] panel rows.</param>
    /// <param name="input">[inputs, rows].</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="inputs">Length of the chains.</param>
    /// <param name="output">[rows, 32].</param>
    public static void Multiply<TWeights>(byte* panel, float* input, int rows, int inputs, float* output)
        where TWeights : struct, IPanelWeights
    {
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < 32; column++)
            {
                float sum = 0;
                for (int k = 0; k < inputs; k++)
                    sum = MathF.FusedMultiplyAdd(input[k * rows + row], TWeights.Load(panel + (long)k * TWeights.RowBytes, column), sum);
                output[row * 32 + column] = sum;
            }
        }
    }
}
