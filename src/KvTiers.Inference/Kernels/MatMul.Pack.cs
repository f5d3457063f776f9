using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <content>Brings input rows into the order and the numbers that kernels read.</content>
internal sealed unsafe partial class MatMul
{
    // Rows of 16-bit integers: the greatest of a row becomes this.
    private const float GreatestInteger = short.MaxValue;

    private void Reserve(int rows)
    {
        // Two integers take the place of one float; an odd last one its own.
        long bytes = (long)rows * (IsInt8 ? PanelInt8.Pairs(_matrix.Inputs) : _matrix.Inputs) * sizeof(float);
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

    /// <summary>Packs one tile of rows: [inputs, rows of the kernel], or [pairs of inputs, rows of the kernel] in integers.</summary>
    private sealed class PackJob(MatMul owner) : ITeamJob
    {
        public void Run(int tile, int worker)
        {
            int inputs = owner._matrix.Inputs;
            int rows = Math.Min(TileRows, owner._rows - tile * TileRows);
            int stride = KernelRows(rows);
            for (int row = 0; row < stride; row++)
            {
                float* source = row < rows ? owner._input + (long)(tile * TileRows + row) * inputs : null;
                if (!owner.IsInt8)
                {
                    Spread(source, inputs, owner._packed.Floats + (long)tile * TileRows * inputs + row, stride);
                    continue;
                }
                int* target = (int*)owner._packed.Bytes + (long)tile * TileRows * PanelInt8.Pairs(inputs) + row;
                float* scale = owner._scales.Floats + tile * TileRows + row;
                switch (owner._path)
                {
                    case KernelPath.Avx512:
                        *scale = Quantise<Lanes512>(source, inputs, target, stride);
                        break;
                    case KernelPath.Avx2:
                        *scale = Quantise<Lanes256>(source, inputs, target, stride);
                        break;
                    default:
                        *scale = Quantise<LanesPlain>(source, inputs, target, stride);
                        break;
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Spread(float* source, int count, float* target, int stride)
        {
            for (int k = 0; k < count; k++, target += stride)
                *target = source != null ? source[k] : 0;
        }

        // Rounds a row to 16-bit integers, two to a word; the scale that turns them back is the result.
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float Quantise<TLanes>(float* source, int count, int* target, int stride)
            where TLanes : struct, ILanes<TLanes>
        {
            int whole = count & -16;
            TLanes greatest = TLanes.Zero;
            if (source != null)
            {
                for (int k = 0; k < whole; k += 16)
                    greatest = Largest(TLanes.Load(source + k), greatest);
                if (whole < count)
                    greatest = Largest(LaneTail.Load<TLanes>(source + whole, count - whole), greatest);
            }
            float most = TLanes.Largest(greatest);
            if (most == 0)
            {
                for (int pair = 0; pair < PanelInt8.Pairs(count); pair++)
                    target[pair * stride] = 0;
                return 0;
            }

            int* pairs = stackalloc int[8];
            TLanes factor = TLanes.Broadcast(GreatestInteger / most);
            for (int k = 0; k < count; k += 16)
            {
                TLanes x = k < whole ? TLanes.Load(source + k) : LaneTail.Load<TLanes>(source + k, count - k);
                TLanes.StoreInt16(x * factor, (short*)pairs);
                int words = k < whole ? 8 : PanelInt8.Pairs(count - k);
                for (int i = 0; i < words; i++, target += stride)
                    *target = pairs[i];
            }
            return most / GreatestInteger;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TLanes Largest<TLanes>(TLanes x, TLanes greatest)
            where TLanes : struct, ILanes<TLanes> => TLanes.Max(TLanes.Max(x, TLanes.Zero - x), greatest);
    }
}
