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
            Values = Scores + queries * ChunkTokens;
            Sums = Values + ChunkTokens * paddedDim;
            ChunkSums = Sums + queries * paddedDim;
            Greatest = ChunkSums + queries * paddedDim;
            Total = Greatest + queries;
            ChunkGreatest = Total + queries;
            ChunkTotal = ChunkGreatest + queries;
            Queries = (float**)(memory + queries * (ChunkTokens + 2 * paddedDim + 2 * 16) + ChunkTokens * paddedDim);
        }

        /// <summary>[queries, ChunkTokens]: scores, then weights.</summary>
        public readonly float* Scores;

        /// <summary>[ChunkTokens, paddedDim]: V, where its rows need padding.</summary>
        public readonly float* Values;

        /// <summary>[queries, paddedDim]: the running weighted sums.</summary>
        public readonly float* Sums;

        /// <summary>[queries, paddedDim]: those of the chunk.</summary>
        public readonly float* ChunkSums;

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
