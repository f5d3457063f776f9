using System.Runtime.InteropServices;

namespace KvTiers.Samples.OwnEngine;

/// <summary>No transformer: a token's "keys and values" are one number, a digest of all tokens up to it. It needs the one before, as attention needs them all.</summary>
internal sealed class ToyEngine
{
    /// <summary>Tokens computed so far: what the cache saves.</summary>
    public int Computed { get; private set; }

    /// <summary>Computes the tokens of a prompt from one on into the lease's blocks, and answers with a digest of all.</summary>
    public int Compute(KvCache cache, BlockLease lease, ReadOnlySpan<int> prompt, int first)
    {
        int blockSize = cache.Shape.BlockSize;
        Span<int> Rows(int token) => MemoryMarshal.Cast<byte, int>(cache.Pool.Bytes(lease.Table.Slots[token / blockSize]));
        int digest = first == 0 ? 17 : Rows(first - 1)[(first - 1) % blockSize];
        for (int token = first; token < prompt.Length; token++)
        {
            digest = unchecked((digest * 31) + prompt[token]);
            Rows(token)[token % blockSize] = digest;
            Computed++;
        }

        return digest;
    }
}
