using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <content>Brings input rows into the numbers and the order that kernels of integers read.</content>
internal sealed unsafe partial class MatMul
{
    // Rows of 16-bit integers: the greatest of a row becomes this.
    private const float GreatestInteger = short.MaxValue;

    private void Reserve(int rows)
    {
        long bytes = (long)rows * PanelInt8.Pairs(_matrix.Inputs) * sizeof(int);
        if (_packed.ByteCount < bytes)
        {
            _packed.Dispose();
            _packed = new NativeBuffer(bytes);
        }
        if (_scales.ByteCount < (long)rows * sizeof(float))
        {
            _scales.Dispose();
            _scales = new NativeBuffer((long)rows * sizeof(float));
        }
    }

    /// <summary>Packs one tile of rows as integers: [pairs of inputs, rows of the kernel].</summary>
    private sealed class PackJob(MatMul owner) : ITeamJob
    {
        // Inputs that are rounded before they are laid side by side with those of the other rows.
        private const int PieceInputs = 64;

        // Rows beyond the last are not written: what they yield is not looked at.
        public void Run(int tile, int worker)
        {
            int inputs = owner._matrix.Inputs;
            int rows = Math.Min(MostRows, owner._rows - tile * MostRows);
            int stride = KernelRows(rows);
            float* source = owner._input + (long)tile * MostRows * inputs;
            int* integers = (int*)owner._packed.Bytes + (long)tile * MostRows * PanelInt8.Pairs(inputs);
            float* scales = owner._scales.Floats + tile * MostRows;
            switch (owner._path)
            {
                case KernelPath.Avx512:
                    Quantise<Lanes512>(source, rows, inputs, integers, stride, scales);
                    break;
                case KernelPath.Avx2:
                    Quantise<Lanes256>(source, rows, inputs, integers, stride, scales);
                    break;
                default:
                    Quantise<LanesPlain>(source, rows, inputs, integers, stride, scales);
                    break;
            }
        }

        // Rounds rows to 16-bit integers, two to a word, and gives the scales that turn them back.
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Quantise<TLanes>(float* source, int rows, int inputs, int* target, int stride, float* scales)
            where TLanes : struct, ILanes<TLanes>
        {
            float* factors = stackalloc float[MostRows];
            uint* pieces = stackalloc uint[MostRows * PieceInputs / 2];
            for (int row = 0; row < rows; row++)
            {
                float most = Greatest<TLanes>(source + (long)row * inputs, inputs);
                factors[row] = most == 0 ? 0 : GreatestInteger / most;
                scales[row] = most / GreatestInteger;
            }
            for (int first = 0; first < inputs; first += PieceInputs)
            {
                int count = Math.Min(PieceInputs, inputs - first), words = PanelInt8.Pairs(count);
                for (int row = 0; row < rows; row++)
                {
                    TLanes factor = TLanes.Broadcast(factors[row]);
                    float* x = source + (long)row * inputs + first;
                    short* piece = (short*)(pieces + row * PieceInputs / 2);
                    int k = 0;
                    for (; k + 16 <= count; k += 16)
                        TLanes.StoreInt16(TLanes.Load(x + k) * factor, piece + k);
                    if (k < count)
                        TLanes.StoreInt16(LaneTail.Load<TLanes>(x + k, count - k) * factor, piece + k);
                }
                RowInterleave.Run(pieces, PieceInputs / 2, rows, words, (uint*)target + (long)first / 2 * stride, stride);
            }
        }

        private static float Greatest<TLanes>(float* source, int count)
            where TLanes : struct, ILanes<TLanes>
        {
            int whole = count & -16;
            TLanes greatest = TLanes.Zero;
            for (int k = 0; k < whole; k += 16)
                greatest = Largest(TLanes.Load(source + k), greatest);
            if (whole < count)
                greatest = Largest(LaneTail.Load<TLanes>(source + whole, count - whole), greatest);
            return TLanes.Largest(greatest);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TLanes Largest<TLanes>(TLanes x, TLanes greatest)
            where TLanes : struct, ILanes<TLanes> => TLanes.Max(TLanes.Max(x, TLanes.Zero - x), greatest);
    }
}
