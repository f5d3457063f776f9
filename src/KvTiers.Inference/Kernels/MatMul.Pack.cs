using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvTiers.Inference.Kernels;

/// <content>Brings input rows into the numbers and the order that kernels of integers read.</content>
internal sealed unsafe partial class MatMul
{
    // Rows of 16-bit integers: the greatest of a row becomes this.
    private const float GreatestInteger = short.MaxValue;

    private void Reserve(int rows)
    {
        Reserve(ref _packed, (long)rows * _matrix.InputPairs * sizeof(int));
        Reserve(ref _scales, (long)rows * sizeof(float));
        Reserve(ref _sums, (long)rows * PanelInt4.Groups(_matrix.Inputs) * sizeof(int));
    }

    private static void Reserve(ref NativeBuffer buffer, long bytes)
    {
        if (buffer.ByteCount >= bytes)
            return;
        buffer.Dispose();
        buffer = new NativeBuffer(bytes);
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
            int* integers = (int*)owner._packed.Bytes + (long)tile * MostRows * owner._matrix.InputPairs;
            float* scales = owner._scales.Floats + tile * MostRows;
            int* sums = (int*)owner._sums.Bytes + (long)tile * MostRows * PanelInt4.Groups(inputs);
            switch (owner._path)
            {
                case KernelPath.Avx512:
                    Quantise<Lanes512>(source, rows, inputs, integers, stride, scales, owner._matrix.HasSmallIntegers ? sums : null);
                    break;
                case KernelPath.Avx2:
                    Quantise<Lanes256>(source, rows, inputs, integers, stride, scales, owner._matrix.HasSmallIntegers ? sums : null);
                    break;
                default:
                    Quantise<LanesPlain>(source, rows, inputs, integers, stride, scales, owner._matrix.HasSmallIntegers ? sums : null);
                    break;
            }
        }

        // Rounds rows to 16-bit integers, two to a word, and gives the scales that turn them back and, for 4-bit weights, the sums of groups of inputs.
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Quantise<TLanes>(float* source, int rows, int inputs, int* target, int stride, float* scales, int* sums)
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
                int count = Math.Min(PieceInputs, inputs - first), words = sums == null ? PanelInt8.Pairs(count) : PanelInt4.Pairs(count);
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
                    for (int group = 0; sums != null && group < PanelInt4.Groups(count); group++)
                        sums[(first / PanelInt4.GroupInputs + group) * stride + row] = Sum(piece + group * PanelInt4.GroupInputs, Math.Min(PanelInt4.GroupInputs, count - group * PanelInt4.GroupInputs));
                }
                RowInterleave.Run(pieces, PieceInputs / 2, rows, words, (uint*)target + (long)first / 2 * stride, stride);
            }
        }

        // Whole vectors: what is beyond the last input is 0 up to a multiple of 16.
        private static int Sum(short* inputs, int count)
        {
            Vector256<int> sum = Vector256<int>.Zero;
            for (int k = 0; k < count; k += Vector256<short>.Count)
            {
                Vector256<short> x = Vector256.Load(inputs + k);
                sum += Vector256.WidenLower(x) + Vector256.WidenUpper(x);
            }
            return Vector256.Sum(sum);
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
