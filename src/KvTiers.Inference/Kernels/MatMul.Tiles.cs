namespace KvTiers.Inference.Kernels;

/// <content>Chooses the kernel that multiplies a tile, by path, weight format and number of rows.</content>
internal sealed unsafe partial class MatMul
{
    // Rows that the kernel for so many rows computes.
    private static int KernelRows(int rows) => rows switch
    {
        <= 4 => rows,
        <= 6 => 6,
        <= 8 => 8,
        _ => MostRows,
    };

    // Rows row … row + rows − 1 against one panel: rows of floats are at their TileRows.Slot, rows of integers where they were packed.
    private void Multiply(byte* panel, int row, int rows, float* products, nint ahead)
    {
        switch (_matrix.Format)
        {
            case PanelFormat.F32:
                MultiplyFloats<PanelWeightsF32>(panel, _input + (long)row * _matrix.Inputs, rows, products, ahead);
                break;
            case PanelFormat.BF16:
                MultiplyFloats<PanelWeightsBF16>(panel, _input + (long)row * _matrix.Inputs, rows, products, ahead);
                break;
            case PanelFormat.Int8:
                MultiplyIntegers<Int8Tiles<PanelScalesBF16>>(panel, row, KernelRows(rows), products, ahead);
                break;
            case PanelFormat.Int8By32:
                MultiplyIntegers<Int8Tiles<PanelScalesF16>>(panel, row, KernelRows(rows), products, ahead);
                break;
            case PanelFormat.Int4:
                MultiplyIntegers<Int4Tiles<Int4Symmetric>>(panel, row, KernelRows(rows), products, ahead);
                break;
            default:
                MultiplyIntegers<Int4Tiles<Int4Affine>>(panel, row, KernelRows(rows), products, ahead);
                break;
        }
    }

    private void MultiplyFloats<TWeights>(byte* panel, float* input, int rows, float* products, nint ahead)
        where TWeights : struct, IPanelWeights
    {
        int inputs = _matrix.Inputs, slots = KernelRows(rows);
        switch (_path)
        {
            case KernelPath.Avx512:
                switch (slots)
                {
                    case 1:
                        Tile512.Multiply<TWeights, Rows1>(panel, input, inputs, rows, inputs, products, ahead);
                        break;
                    case 2:
                        Tile512.Multiply<TWeights, Rows2>(panel, input, inputs, rows, inputs, products, ahead);
                        break;
                    case 3:
                        Tile512.Multiply<TWeights, Rows3>(panel, input, inputs, rows, inputs, products, ahead);
                        break;
                    case 4:
                        Tile512.Multiply<TWeights, Rows4>(panel, input, inputs, rows, inputs, products, ahead);
                        break;
                    case 6:
                        Tile512.Multiply<TWeights, Rows6>(panel, input, inputs, rows, inputs, products, ahead);
                        break;
                    case 8:
                        Tile512.Multiply<TWeights, Rows8>(panel, input, inputs, rows, inputs, products, ahead);
                        break;
                    default:
                        Tile512.Multiply<TWeights, Rows12>(panel, input, inputs, rows, inputs, products, ahead);
                        break;
                }
                break;
            case KernelPath.Avx2:
                for (int first = 0; first <= 8; first += 8)
                {
                    switch (slots)
                    {
                        case 1:
                            Tile256.Multiply<TWeights, Rows1>(panel, first, input, inputs, rows, inputs, products, ahead);
                            break;
                        case 2:
                            Tile256.Multiply<TWeights, Rows2>(panel, first, input, inputs, rows, inputs, products, ahead);
                            break;
                        case 3:
                            Tile256.Multiply<TWeights, Rows3>(panel, first, input, inputs, rows, inputs, products, ahead);
                            break;
                        case 4:
                            Tile256.Multiply<TWeights, Rows4>(panel, first, input, inputs, rows, inputs, products, ahead);
                            break;
                        case 8:
                            Tile256.Multiply<TWeights, Rows6>(panel, first, input, inputs, 6, inputs, products, ahead);
                            Tile256.Multiply<TWeights, Rows2>(panel, first, input + 6L * inputs, inputs, rows - 6, inputs, products + 6 * PackedMatrix.PanelWidth, ahead);
                            break;
                        default:
                            for (int row = 0; row < rows; row += 6)
                            {
                                Tile256.Multiply<TWeights, Rows6>(
                                    panel, first, input + (long)row * inputs, inputs, Math.Min(6, rows - row), inputs, products + row * PackedMatrix.PanelWidth, ahead);
                            }
                            break;
                    }
                }
                break;
            default:
                TilePlain.Multiply<TWeights>(panel, input, rows, slots, inputs, products);
                break;
        }
    }

    private void MultiplyIntegers<TTiles>(byte* panel, int firstRow, int rows, float* products, nint ahead)
        where TTiles : struct, IIntegerTiles
    {
        int inputs = _matrix.Inputs;
        int* input = (int*)_packed.Bytes + (long)firstRow * _matrix.InputPairs, sums = (int*)_sums.Bytes + (long)firstRow * PanelInt4.Groups(inputs);
        switch (_path)
        {
            case KernelPath.Avx512:
                switch (rows)
                {
                    case 1:
                        TTiles.Multiply512<Rows1>(panel, input, sums, inputs, products, ahead);
                        break;
                    case 2:
                        TTiles.Multiply512<Rows2>(panel, input, sums, inputs, products, ahead);
                        break;
                    case 3:
                        TTiles.Multiply512<Rows3>(panel, input, sums, inputs, products, ahead);
                        break;
                    case 4:
                        TTiles.Multiply512<Rows4>(panel, input, sums, inputs, products, ahead);
                        break;
                    case 6:
                        TTiles.Multiply512<Rows6>(panel, input, sums, inputs, products, ahead);
                        break;
                    case 8:
                        TTiles.Multiply512<Rows8>(panel, input, sums, inputs, products, ahead);
                        break;
                    default:
                        TTiles.Multiply512<Rows12>(panel, input, sums, inputs, products, ahead);
                        break;
                }
                break;
            case KernelPath.Avx2:
                for (int first = 0; first <= 16; first += 16)
                {
                    switch (rows)
                    {
                        case 1:
                            TTiles.Multiply256<Rows1>(panel, first, input, sums, rows, inputs, products, ahead);
                            break;
                        case 2:
                            TTiles.Multiply256<Rows2>(panel, first, input, sums, rows, inputs, products, ahead);
                            break;
                        case 3:
                            TTiles.Multiply256<Rows3>(panel, first, input, sums, rows, inputs, products, ahead);
                            break;
                        case 4:
                            TTiles.Multiply256<Rows4>(panel, first, input, sums, rows, inputs, products, ahead);
                            break;
                        case 8:
                            TTiles.Multiply256<Rows4>(panel, first, input, sums, rows, inputs, products, ahead);
                            TTiles.Multiply256<Rows4>(panel, first, input + 4, sums + 4, rows, inputs, products + 4 * PackedMatrix.PanelWidth, ahead);
                            break;
                        default:
                            for (int row = 0; row < rows; row += 6)
                                TTiles.Multiply256<Rows6>(panel, first, input + row, sums + row, rows, inputs, products + row * PackedMatrix.PanelWidth, ahead);
                            break;
                    }
                }
                break;
            default:
                TTiles.MultiplyPlain(panel, input, sums, rows, inputs, products);
                break;
        }
    }
}
