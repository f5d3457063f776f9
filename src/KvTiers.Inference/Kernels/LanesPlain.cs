using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>Sixteen lanes one after the other.</summary>
[InlineArray(16)]
internal unsafe struct LanesPlain : ILanes<LanesPlain>
{
    private float _first;

    public static int Registers => 1;

    public static LanesPlain Zero => default;

    public static LanesPlain operator +(LanesPlain left, LanesPlain right)
    {
        for (int i = 0; i < 16; i++)
            left[i] += right[i];
        return left;
    }

    public static LanesPlain operator -(LanesPlain left, LanesPlain right)
    {
        for (int i = 0; i < 16; i++)
            left[i] -= right[i];
        return left;
    }

    public static LanesPlain operator *(LanesPlain left, LanesPlain right)
    {
        for (int i = 0; i < 16; i++)
            left[i] *= right[i];
        return left;
    }

    public static LanesPlain operator /(LanesPlain left, LanesPlain right)
    {
        for (int i = 0; i < 16; i++)
            left[i] /= right[i];
        return left;
    }

    public static LanesPlain Broadcast(float value)
    {
        LanesPlain lanes = default;
        for (int i = 0; i < 16; i++)
            lanes[i] = value;
        return lanes;
    }

    public static LanesPlain Load(float* source)
    {
        LanesPlain lanes = default;
        for (int i = 0; i < 16; i++)
            lanes[i] = source[i];
        return lanes;
    }

    public static LanesPlain LoadBF16(ushort* source)
    {
        LanesPlain lanes = default;
        for (int i = 0; i < 16; i++)
            lanes[i] = BFloat16.Widen(source[i]);
        return lanes;
    }

    public static void Store(LanesPlain value, float* destination)
    {
        for (int i = 0; i < 16; i++)
            destination[i] = value[i];
    }

    public static void StoreInt16(LanesPlain value, short* destination)
    {
        for (int i = 0; i < 16; i++)
            destination[i] = (short)MathF.Round(value[i], MidpointRounding.ToEven);
    }

    public static void StoreBF16(LanesPlain value, ushort* destination)
    {
        for (int i = 0; i < 16; i++)
            destination[i] = BFloat16.Round(value[i]);
    }

    public static LanesPlain Fma(LanesPlain left, LanesPlain right, LanesPlain addend)
    {
        for (int i = 0; i < 16; i++)
            addend[i] = MathF.FusedMultiplyAdd(left[i], right[i], addend[i]);
        return addend;
    }

    public static LanesPlain Max(LanesPlain left, LanesPlain right)
    {
        for (int i = 0; i < 16; i++)
            right[i] = left[i] > right[i] ? left[i] : right[i];
        return right;
    }

    public static LanesPlain Round(LanesPlain value)
    {
        for (int i = 0; i < 16; i++)
            value[i] = MathF.Round(value[i], MidpointRounding.ToEven);
        return value;
    }

    public static LanesPlain Scale(LanesPlain value, LanesPlain exponent)
    {
        for (int i = 0; i < 16; i++)
            value[i] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value[i]) + ((int)exponent[i] << 23));
        return value;
    }

    public static LanesPlain WhereLess(LanesPlain value, LanesPlain limit, LanesPlain then, LanesPlain otherwise)
    {
        for (int i = 0; i < 16; i++)
            otherwise[i] = value[i] < limit[i] ? then[i] : otherwise[i];
        return otherwise;
    }

    public static float Sum(LanesPlain value)
    {
        for (int half = 8; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++)
                value[i] += value[i + half];
        }
        return value[0];
    }

    public static float Largest(LanesPlain value)
    {
        for (int half = 8; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++)
                value[i] = value[i] > value[i + half] ? value[i] : value[i + half];
        }
        return value[0];
    }
}
