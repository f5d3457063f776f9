using System.Runtime.Intrinsics;

namespace KvTiers.Inference.Kernels;

/// <summary>Finds the integers and the scale with which a group of up to 32 weights is kept in 4 bits each.</summary>
internal static class Int4Rounding
{
    private const int Most = 15;
    private const int Zero = 8;

    // The integer that the weight farthest from zero would become; the scale follows from it. Tried in this order.
    private static readonly float[] Extremes = [8, 7, 7.5f, 8.5f, 6.5f, 9, 6, 9.5f];

    /// <summary>
    /// scale · (integer − 8): of several scales, and of the best fit to the integers that the best of them gives, the one with the least sum of squared errors.
    /// </summary>
    /// <param name="weights">1 to 32, finite.</param>
    /// <param name="integers">Receives as many integers, 0 to 15.</param>
    /// <returns>The scale, of either sign; 0 for weights that are 0, or too small for a scale in 16 bits.</returns>
    public static Half Symmetric(ReadOnlySpan<float> weights, Span<byte> integers)
    {
        float extreme = 0;
        foreach (float weight in weights)
            extreme = Math.Abs(weight) > Math.Abs(extreme) ? weight : extreme;
        Span<float> group = stackalloc float[PanelInt4.GroupInputs];
        group.Clear();
        weights.CopyTo(group);
        Half best = default;
        float leastError = float.PositiveInfinity;
        foreach (float integer in Extremes)
        {
            // The extreme weight becomes −8 or so: there is one more integer below zero than above.
            Half scale = Finite(-extreme / integer);
            float error = Error(group, (float)scale);
            if (error < leastError)
                (best, leastError) = (scale, error);
        }

        Half fitted = Finite(Fitted(group, (float)best));
        if (Error(group, (float)fitted) < leastError)
            best = fitted;
        float divisor = (float)best;
        for (int i = 0; i < weights.Length; i++)
            integers[i] = divisor == 0 ? (byte)Zero : (byte)(Zero + Math.Clamp(MathF.Round(weights[i] / divisor, MidpointRounding.ToEven), -Zero, Most - Zero));
        return best;
    }

    /// <summary>scale · integer + least, from the least weight to the greatest.</summary>
    /// <param name="weights">1 to 32, finite.</param>
    /// <param name="integers">Receives as many integers, 0 to 15.</param>
    /// <returns>The scale and the least value.</returns>
    public static (Half Scale, Half Least) Affine(ReadOnlySpan<float> weights, Span<byte> integers)
    {
        float least = weights[0], greatest = weights[0];
        foreach (float weight in weights)
        {
            least = Math.Min(least, weight);
            greatest = Math.Max(greatest, weight);
        }
        Half kept = Finite(least), scale = Finite((greatest - (float)kept) / Most);
        float divisor = (float)scale;
        for (int i = 0; i < weights.Length; i++)
            integers[i] = divisor == 0 ? (byte)0 : (byte)Math.Clamp(MathF.Round((weights[i] - (float)kept) / divisor, MidpointRounding.ToEven), 0, Most);
        return (scale, kept);
    }

    // Weights whose scale is beyond 16-bit floats are not those of any model; they are kept as near as they can be.
    private static Half Finite(float value) => (Half)Math.Clamp(value, (float)Half.MinValue, (float)Half.MaxValue);

    private static float Error(ReadOnlySpan<float> group, float scale)
    {
        if (scale == 0)
            return float.MaxValue;
        Vector256<float> error = Vector256<float>.Zero;
        for (int i = 0; i < group.Length; i += Vector256<float>.Count)
        {
            Vector256<float> weights = Vector256.Create(group[i..]);
            Vector256<float> difference = weights - Integers(weights, scale) * scale;
            error += difference * difference;
        }
        return Sum(error);
    }

    // The scale that fits the integers of another one best.
    private static float Fitted(ReadOnlySpan<float> group, float scale)
    {
        if (scale == 0)
            return 0;
        Vector256<float> products = Vector256<float>.Zero, squares = Vector256<float>.Zero;
        for (int i = 0; i < group.Length; i += Vector256<float>.Count)
        {
            Vector256<float> weights = Vector256.Create(group[i..]), integers = Integers(weights, scale);
            products += weights * integers;
            squares += integers * integers;
        }
        float sum = Sum(squares);
        return sum == 0 ? scale : Sum(products) / sum;
    }

    // In one order on every processor.
    private static float Sum(Vector256<float> lanes)
    {
        float sum = 0;
        for (int i = 0; i < Vector256<float>.Count; i++)
            sum += lanes[i];
        return sum;
    }

    private static Vector256<float> Integers(Vector256<float> weights, float scale) => Vector256.Min(
        Vector256.Max(Vector256.Round(weights / scale, MidpointRounding.ToEven), Vector256.Create(-(float)Zero)), Vector256.Create((float)(Most - Zero)));
}
