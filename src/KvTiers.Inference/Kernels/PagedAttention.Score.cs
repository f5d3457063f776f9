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

    // Turns scores of queries into weights. Query i's are at scores + i · ChunkTokens; those of tokens first … last − 1 are there, rounded to blocks.
    private void Weigh<TLanes>(in Scratch scratch, AttentionTile tile, int query, int count, float* scores, int first, int last, int start)
        where TLanes : struct, ILanes<TLanes>
    {
        int begin = first & -BlockSize, end = (last + BlockSize - 1) & -BlockSize;
        for (int i = 0; i < count; i++)
        {
            if (_cap is float cap)
                Cap<TLanes>(scores + i * ChunkTokens, begin, end, cap);
            int position = tile.Position + (query + i) / _group;
            int from = Math.Max(begin, Math.Max(0, position - _window + 1) - start), to = Math.Min(last, position + 1 - start);
            scratch.ChunkGreatest[query + i] = Greatest<TLanes>(scores + i * ChunkTokens, begin, end, from, to);
        }
        for (int i = 0; i < count; i++)
            scratch.ChunkTotal[query + i] = Weights<TLanes>(scores + i * ChunkTokens, begin, end, scratch.ChunkGreatest[query + i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Cap<TLanes>(float* scores, int begin, int end, float cap)
        where TLanes : struct, ILanes<TLanes>
    {
        for (int token = begin; token < end; token += BlockSize)
            TLanes.Store(Activation.SoftCap(TLanes.Load(scores + token), cap), scores + token);
    }

    // The greatest score of tokens from … to − 1; −∞ without any. All others from begin to end − 1 become −∞.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Greatest<TLanes>(float* scores, int begin, int end, int from, int to)
        where TLanes : struct, ILanes<TLanes>
    {
        to = Math.Max(from, to);
        if (begin < from)
            new Span<float>(scores + begin, Math.Min(from, end) - begin).Fill(float.NegativeInfinity);
        if (to < end)
            new Span<float>(scores + to, end - to).Fill(float.NegativeInfinity);
        TLanes greatest = TLanes.Broadcast(float.NegativeInfinity);
        for (int token = begin; token < end; token += BlockSize)
            greatest = TLanes.Max(TLanes.Load(scores + token), greatest);
        return TLanes.Largest(greatest);
    }

    // e^(score − greatest) in place of every score, or 0 without a greatest; the sum is the result.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Weights<TLanes>(float* scores, int begin, int end, float greatest)
        where TLanes : struct, ILanes<TLanes>
    {
        if (greatest == float.NegativeInfinity)
        {
            new Span<float>(scores + begin, end - begin).Clear();
            return 0;
        }
        TLanes shift = TLanes.Broadcast(greatest), total = TLanes.Zero;
        for (int token = begin; token < end; token += BlockSize)
        {
            TLanes weight = Exponential.OfNoneAboveMost(TLanes.Load(scores + token) - shift);
            TLanes.Store(weight, scores + token);
            total += weight;
        }
        return TLanes.Sum(total);
    }
}
