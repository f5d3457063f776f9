namespace KvTiers.Inference.Kernels;

/// <content>What a thread works in.</content>
internal sealed unsafe partial class PagedAttention
{
    /// <summary>One thread's working memory, cut up.</summary>
    private readonly ref struct Scratch
    {
        public Scratch(float* memory, int queries, int paddedDim)
        {
            Scores = memory;
            Keys = Scores + queries * ChunkTokens;
            Values = Keys + ChunkTokens * paddedDim;
            Sums = Values + ChunkTokens * paddedDim;
            ChunkSums = Sums + queries * paddedDim;
            Packed = ChunkSums + queries * paddedDim;
            Greatest = Packed + queries * paddedDim;
            Total = Greatest + queries;
            ChunkGreatest = Total + queries;
            ChunkTotal = ChunkGreatest + queries;
            Queries = (float**)(memory + FloatCount(queries, paddedDim));
        }

        /// <summary>Floats of the memory, before the pointers.</summary>
        public static long FloatCount(int queries, int paddedDim) =>
            (long)queries * (ChunkTokens + 3 * paddedDim + 2 * 16) + 2L * ChunkTokens * paddedDim;

        /// <summary>[queries, ChunkTokens]: scores, then weights.</summary>
        public readonly float* Scores;

        /// <summary>[ChunkTokens / 64, headDim, 64]: K as floats, where many queries read it.</summary>
        public readonly float* Keys;

        /// <summary>[ChunkTokens, paddedDim]: V as floats, where many queries read it or its rows need padding.</summary>
        public readonly float* Values;

        /// <summary>[queries, paddedDim]: the running weighted sums.</summary>
        public readonly float* Sums;

        /// <summary>[queries, paddedDim]: those of the chunk.</summary>
        public readonly float* ChunkSums;

        /// <summary>[queries, headDim]: the queries, where they are many.</summary>
        public readonly float* Packed;

        /// <summary>[queries]: the running greatest score.</summary>
        public readonly float* Greatest;

        /// <summary>[queries]: the running sum of weights.</summary>
        public readonly float* Total;

        /// <summary>[queries]: the chunk's greatest score.</summary>
        public readonly float* ChunkGreatest;

        /// <summary>[queries]: the chunk's sum of weights; 0 when the query sees nothing of the chunk.</summary>
        public readonly float* ChunkTotal;

        /// <summary>[queries]: where each query is.</summary>
        public readonly float** Queries;
    }
}
