using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <content>The layers.</content>
internal sealed unsafe partial class DecoderModel
{
    // Takes the tile's tokens through all layers: K and V into the blocks, the sums of the rows whose logits or hidden states are wanted to the front of
    // the residual stream.
    private void ComputeLayers(KvAttention attention)
    {
        int rows = _rows.Count;
        float* residual = _residual.Floats, normed = _normed.Floats, qkv = _qkv.Floats, attended = _attended.Floats;
        _embedding.Run(_rows, _weights.Embedding, Floats(_weights.Positions), residual, Config.EmbeddingScale);
        foreach (Rope rope in _ropes)
            rope.SetPositions(_rows.Positions, rows);
        for (int i = 0; i < Config.Layers; i++)
        {
            DecoderWeights.Layer layer = _weights.Layers[i];
            float* input = Normalise(layer.AttentionNorm, residual, normed, rows);
            _matMul.Run(layer.Qkv.Matrix, input, rows, qkv, _qkvColumns, Floats(layer.Qkv.Bias));
            if (layer.QueryNorm is { } queryNorm)
            {
                NormaliseHeads(queryNorm, qkv, Config.Heads, rows);
                NormaliseHeads(layer.KeyNorm!, qkv + Config.Heads * Config.HeadDim, Config.KvHeads, rows);
            }
            _ropeOf[i]?.Run(qkv, _qkvColumns, Config.Heads + Config.KvHeads);
            attention.Run(_rows, i, Config.WindowOf(i), qkv, _qkvColumns, attended);
            if (i == Config.Layers - 1 && (rows = KeepOutputRows()) == 0)
                return;

            // Beside attention, the feed-forward layer reads the stream as it was.
            if (Config.Residual != ResidualKind.Sequential)
                input = Normalise(layer.FeedForwardNorm ?? layer.AttentionNorm, residual, normed, rows);
            AddProduct(layer.AttentionOutput, attended, layer.PostAttentionNorm, rows);
            if (Config.Residual == ResidualKind.Sequential)
                input = Normalise(layer.FeedForwardNorm, residual, normed, rows);
            AddFeedForward(layer, input, rows);
        }
    }

    private void AddFeedForward(DecoderWeights.Layer layer, float* input, int rows)
    {
        if (layer.FeedForward is { } feedForward)
        {
            _matMul.Run(feedForward.Up.Matrix, input, rows, _inner.Floats, Config.Intermediate, Floats(feedForward.Up.Bias), _activate);
            AddProduct(feedForward.Down, _inner.Floats, layer.PostFeedForwardNorm, rows);
            return;
        }
        float* mixed = _mixture!.Run(layer.Mixture!, input, rows, _inner.Floats, _activate);
        AddRows(mixed, layer.PostFeedForwardNorm, rows);
    }

    // A product, through a norm where one follows, is added to the residual stream. Such a product takes the place of what was normalised before.
    private void AddProduct(DecoderWeights.Linear linear, float* input, DecoderWeights.NormWeights? norm, int rows)
    {
        if (norm is null)
        {
            _matMul.Run(linear.Matrix, input, rows, _residual.Floats, Config.Hidden, Floats(linear.Bias), MatMulResult.Add, Config.ResidualScale);
            return;
        }
        _matMul.Run(linear.Matrix, input, rows, _normed.Floats, Config.Hidden, Floats(linear.Bias));
        Normalise(norm, _normed.Floats, _residual.Floats, rows, isAdded: true);
    }

    private void AddRows(float* source, DecoderWeights.NormWeights? norm, int rows)
    {
        if (norm is not null)
        {
            Normalise(norm, source, _residual.Floats, rows, isAdded: true);
            return;
        }
        float* target = _residual.Floats;
        for (long i = 0; i < (long)rows * Config.Hidden; i++)
            target[i] += source[i] * Config.ResidualScale;
    }

    // The normalised rows; the rows themselves where there is no norm.
    private float* Normalise(DecoderWeights.NormWeights? norm, float* input, float* output, int rows, bool isAdded = false)
    {
        if (norm is null)
            return input;
        Normalise(new NormRows
        {
            Input = input,
            InputStride = Config.Hidden,
            Weight = norm.Weight.Floats,
            Bias = Floats(norm.Bias),
            Epsilon = Config.NormEpsilon,
            Output = output,
            OutputStride = Config.Hidden,
            Rows = rows,
            Length = Config.Hidden,
            IsAdded = isAdded,
        });
        return output;
    }

    // Queries or keys, in place: head by head, or all heads of a row as one.
    private void NormaliseHeads(DecoderWeights.NormWeights norm, float* heads, int count, int rows)
    {
        bool isWhole = Config.QueryKeyNorm == QueryKeyNorm.Whole;
        int length = isWhole ? count * Config.HeadDim : Config.HeadDim;
        Normalise(new NormRows
        {
            Input = heads,
            InputStride = _qkvColumns,
            Weight = norm.Weight.Floats,
            WeightStride = Config.QueryKeyNorm == QueryKeyNorm.EachHead ? length : 0,
            Bias = Floats(norm.Bias),
            Epsilon = Config.NormEpsilon,
            Output = heads,
            OutputStride = _qkvColumns,
            Rows = rows,
            Groups = isWhole ? 1 : count,
            Length = length,
        });
    }

    private void Normalise(in NormRows rows)
    {
        if (Config.Norm == NormKind.Layer)
            _layerNorm.Run(rows);
        else
            _rmsNorm.Run(rows);
    }

    // Moves the rows whose logits or hidden states are wanted to the front: once K and V of the last layer are written, nobody reads the others. Returns
    // how many they are, perhaps 0.
    private int KeepOutputRows()
    {
        ReadOnlySpan<int> wanted = _rows.OutputRows;
        int attended = Config.Heads * Config.HeadDim;
        for (int i = 0; i < wanted.Length; i++)
        {
            Move(_residual.Floats, Config.Hidden, wanted[i], i);
            Move(_attended.Floats, attended, wanted[i], i);
        }
        return wanted.Length;

        static void Move(float* rows, int columns, int from, int to) =>
            new ReadOnlySpan<float>(rows + (long)from * columns, columns).CopyTo(new Span<float>(rows + (long)to * columns, columns));
    }

    private static float* Floats(NativeBuffer? buffer) => buffer is null ? null : buffer.Floats;
}
