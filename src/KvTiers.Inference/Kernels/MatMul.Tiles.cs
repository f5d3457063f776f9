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
        if (IsInt8)
            MultiplyIntegers(panel, (int*)_packed.Bytes + (long)row * PanelInt8.Pairs(_matrix.Inputs), KernelRows(rows), products, ahead);
        else if (_matrix.Format == PanelFormat.F32)
            MultiplyFloats<PanelWeightsF32>(panel, _input + (long)row * _matrix.Inputs, rows, products, ahead);
        else
            MultiplyFloats<PanelWeightsBF16>(panel, _input + (long)row * _matrix.Inputs, rows, products, ahead);
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

    private void MultiplyIntegers(byte* panel, int* input, int rows, float* products, nint ahead)
    {
        int inputs = _matrix.Inputs;
        switch (_path)
        {
            case KernelPath.Avx512:
                switch (rows)
                {
                    case 1:
                        TileInt8x512.Multiply<Rows1>(panel, input, inputs, products, ahead);
                        break;
                    case 2:
                        TileInt8x512.Multiply<Rows2>(panel, input, inputs, products, ahead);
                        break;
                    case 3:
                        TileInt8x512.Multiply<Rows3>(panel, input, inputs, products, ahead);
                        break;
                    case 4:
                        TileInt8x512.Multiply<Rows4>(panel, input, inputs, products, ahead);
                        break;
                    case 6:
                        TileInt8x512.Multiply<Rows6>(panel, input, inputs, products, ahead);
                        break;
                    case 8:
                        TileInt8x512.Multiply<Rows8>(panel, input, inputs, products, ahead);
                        break;
                    default:
                        TileInt8x512.Multiply<Rows12>(panel, input, inputs, products, ahead);
                        break;
                }
                break;
            case KernelPath.Avx2:
                for (int first = 0; first <= 16; first += 16)
                {
                    switch (rows)
                    {
                        case 1:
                            TileInt8x256.Multiply<Rows1>(panel, first, input, rows, inputs, products, ahead);
                            break;
                        case 2:
                            TileInt8x256.Multiply<Rows2>(panel, first, input, rows, inputs, products, ahead);
                            break;
                        case 3:
                            TileInt8x256.Multiply<Rows3>(panel, first, input, rows, inputs, products, ahead);
                            break;
                        case 4:
                            TileInt8x256.Multiply<Rows4>(panel, first, input, rows, inputs, products, ahead);
                            break;
                        case 8:
                            TileInt8x256.Multiply<Rows4>(panel, first, input, rows, inputs, products, ahead);
                            TileInt8x256.Multiply<Rows4>(panel, first, input + 4, rows, inputs, products + 4 * PackedMatrix.PanelWidth, ahead);
                            break;
                        default:
                            for (int row = 0; row < rows; row += 6)
                                TileInt8x256.Multiply<Rows6>(panel, first, input + row, rows, inputs, products + row * PackedMatrix.PanelWidth, ahead);
                            break;
                    }
                }
                break;
            default:
                TileInt8Plain.Multiply(panel, input, rows, inputs, products);
                break;
        }
    }
}
