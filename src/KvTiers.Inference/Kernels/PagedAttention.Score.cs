using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <content>Queries against keys: scores, then weights.</content>
internal sealed unsafe partial class PagedAttention
{
    private void Score<TLanes, TElements>(in Scratch scratch, int count, byte** keys, byte** nextKeys, byte** values, int block)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        int step = TLanes.Registers == 1 ? 4 : 2;
        for (int i = 0; i < count; i += step)
        {
            float** queries = scratch.Queries + i;
            float* scores = scratch.Scores + i * ChunkTokens + block * BlockSize;
            if (TLanes.Registers == 2)
            {
                for (int half = 0; half < 4; half += 2)
                {
                    if (count - i == 1)
                        ScoreTwo<TLanes, TElements, Rows1>(queries, keys + half, scores + half * BlockSize);
                    else
                        ScoreTwo<TLanes, TElements, Rows2>(queries, keys + half, scores + half * BlockSize);
                }
                continue;
            }
            switch (count - i)
            {
                case 1:
                    ScoreFour<TLanes, TElements, Rows1>(i == 0, queries, keys, nextKeys, values, scores);
                    break;
                case 2:
                    ScoreFour<TLanes, TElements, Rows2>(i == 0, queries, keys, nextKeys, values, scores);
                    break;
                case 3:
                    ScoreFour<TLanes, TElements, Rows3>(i == 0, queries, keys, nextKeys, values, scores);
                    break;
                default:
                    ScoreFour<TLanes, TElements, Rows4>(i == 0, queries, keys, nextKeys, values, scores);
                    break;
            }
        }
    }

    // The first queries to see a block find it far away, and bring near what follows it; for the others it is near.
    private void ScoreFour<TLanes, TElements, TQueries>(bool isFirst, float** queries, byte** keys, byte** nextKeys, byte** values, float* scores)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
        where TQueries : struct, IRows
    {
        if (isFirst)
            AttentionScores.Run<TLanes, TElements, TQueries, Rows4, Rows1>(queries, keys, nextKeys, values, _layout.HeadDim, _scale, scores, ChunkTokens);
        else
            AttentionScores.Run<TLanes, TElements, TQueries, Rows4, Rows0>(queries, keys, nextKeys, values, _layout.HeadDim, _scale, scores, ChunkTokens);
    }

    private void ScoreTwo<TLanes, TElements, TQueries>(float** queries, byte** keys, float* scores)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
        where TQueries : struct, IRows =>
        AttentionScores.Run<TLanes, TElements, TQueries, Rows2, Rows0>(queries, keys, null, null, _layout.HeadDim, _scale, scores, ChunkTokens);

    // Turns the scores of tokens from … to − 1 into weights, and those of all others from first to last − 1 into 0.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Weigh<TLanes>(in Scratch scratch, int query, int first, int last, int from, int to)
        where TLanes : struct, ILanes<TLanes>
    {
        float* scores = scratch.Scores + query * ChunkTokens;
        int begin = first & -BlockSize, end = (last + BlockSize - 1) & -BlockSize;
        from = Math.Max(from, begin);
        if (from >= to)
        {
            new Span<float>(scores + begin, end - begin).Clear();
            scratch.ChunkTotal[query] = 0;
            return;
        }

        new Span<float>(scores + begin, from - begin).Fill(float.NegativeInfinity);
        new Span<float>(scores + to, end - to).Fill(float.NegativeInfinity);
        TLanes greatest = TLanes.Broadcast(float.NegativeInfinity);
        for (int token = begin; token < end; token += BlockSize)
            greatest = TLanes.Max(TLanes.Load(scores + token), greatest);
        float most = TLanes.Largest(greatest);
        TLanes shift = TLanes.Broadcast(most), total = TLanes.Zero;
        for (int token = begin; token < end; token += BlockSize)
        {
            TLanes weight = Exponential.Of(TLanes.Load(scores + token) - shift);
            TLanes.Store(weight, scores + token);
            total += weight;
        }
        scratch.ChunkGreatest[query] = most;
        scratch.ChunkTotal[query] = TLanes.Sum(total);
    }
}
