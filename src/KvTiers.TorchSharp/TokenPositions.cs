using static TorchSharp.torch;

namespace KvTiers.TorchSharp;

/// <summary>Token positions as tensors.</summary>
internal static class TokenPositions
{
    /// <summary>int64, [end − first]: <paramref name="first"/> and what follows it before <paramref name="end"/>.</summary>
    /// <remarks>
    /// Not <c>arange</c>: TorchSharp turns its numbers into <c>Scalar</c> objects that only the collector frees, and does not keep them
    /// alive over the call, so that under load libtorch reads freed memory. The same holds for a tensor plus or minus a number.
    /// </remarks>
    public static Tensor Of(int first, int end, Device? device = null)
    {
        long[] positions = new long[end - first];
        for (int i = 0; i < positions.Length; i++)
            positions[i] = first + i;
        return tensor(positions, ScalarType.Int64, device);
    }
}
