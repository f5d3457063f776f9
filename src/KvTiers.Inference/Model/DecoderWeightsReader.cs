using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>Reads and packs a decoder's weights, by the names that its architecture gives them.</summary>
internal sealed class DecoderWeightsReader
{
    private readonly WeightFiles _files;
    private readonly ModelConfig _config;
    private readonly MatrixPacker _packer;
    private readonly TensorNames _names;
    private readonly List<IDisposable> _owned = [];

    private DecoderWeightsReader(WeightFiles files, ModelConfig config, MatrixPacker packer)
    {
        _files = files;
        _config = config;
        _packer = packer;
        _names = TensorNames.Of(config.Architecture, files);
    }

    private int Queries => _config.Heads * _config.HeadDim;

    private int Keys => _config.KvHeads * _config.HeadDim;

    /// <summary>Reads and packs all weights.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, has a wrong shape, or does not belong to the architecture.</exception>
    public static DecoderWeights Read(WeightFiles files, ModelConfig config, MatrixPacker packer)
    {
        DecoderWeightsReader reader = new(files, config, packer);
        try
        {
            return reader.Read();
        }
        catch
        {
            foreach (IDisposable owned in reader._owned)
                owned.Dispose();
            throw;
        }
    }

    private DecoderWeights Read()
    {
        long vocabulary = _config.Vocabulary, hidden = _config.Hidden;
        PackedMatrix embedding = Keep(_packer.Pack(new TensorMatrix(_files.Get(_names.Prefix + _names.Embedding, vocabulary, hidden))));
        DecoderWeights weights = new(_owned)
        {
            Embedding = embedding,
            Positions = _config.LearnedPositions ? Positions() : null,
            Output = _config.TiedEmbeddings ? embedding : Keep(_packer.Pack(new TensorMatrix(_files.Get(_names.Output, vocabulary, hidden)))),
            FinalNorm = Norm(_names.Prefix + _names.FinalNorm, hidden),
            Layers = [.. Enumerable.Range(0, _config.Layers).Select(Layer)],
        };
        _files.RequireAllUsed(name =>
            Array.Exists(_names.Harmless, ending => name.EndsWith(ending, StringComparison.Ordinal))
            || Array.Exists(_names.Unseen, beginning => name.StartsWith(beginning, StringComparison.Ordinal))
            || (_config.TiedEmbeddings && (name == _names.Output || name == "language_model." + _names.Output)));
        return weights;
    }

    private DecoderWeights.Layer Layer(int index)
    {
        string layer = $"{_names.Prefix}{_names.Layer}{index}.";
        long hidden = _config.Hidden;
        bool before = _config.NormPlacement != NormPlacement.After, after = _config.NormPlacement != NormPlacement.Before;
        bool hasExperts = _config.LayerConfigs[index].HasExperts;
        return new DecoderWeights.Layer
        {
            AttentionNorm = before ? Norm(layer + _names.AttentionNorm, hidden) : null,
            Qkv = Qkv(layer),
            QueryNorm = HeadNorm(layer + _names.QueryNorm, _config.Heads),
            KeyNorm = HeadNorm(layer + _names.KeyNorm, _config.KvHeads),
            AttentionOutput = Linear(layer + _names.AttentionOutput, hidden, Queries, _config.OutputBias),
            PostAttentionNorm = after ? Norm(layer + _names.PostAttentionNorm, hidden) : null,
            FeedForwardNorm = before && _config.Residual != ResidualKind.ParallelSharedNorm ? Norm(layer + _names.FeedForwardNorm, hidden) : null,
            FeedForward = hasExperts ? null : FeedForward(layer, _names.Up, _names.Down, _config.Intermediate, _config.FeedForwardBias),
            Mixture = hasExperts ? Mixture(layer, _config.Experts!) : null,
            PostFeedForwardNorm = after ? Norm(layer + _names.PostFeedForwardNorm, hidden) : null,
        };
    }

    private unsafe NativeBuffer Positions()
    {
        long hidden = _config.Hidden;
        SafetensorsTensor tensor = _files.Get(_names.Prefix + _names.Positions, _config.ContextLength, hidden);
        NativeBuffer positions = Keep(new NativeBuffer(_config.ContextLength * hidden * sizeof(float)));
        for (int i = 0; i < _config.ContextLength; i++)
            tensor.Read(i * hidden, 1, new Span<float>(positions.Floats + i * hidden, (int)hidden));
        return positions;
    }

    // Queries, then keys, then values, however the file has them.
    private DecoderWeights.Linear Qkv(string layer)
    {
        int queries = Queries, keys = Keys, hidden = _config.Hidden, headDim = _config.HeadDim;
        if (_names.Qkv.Length == 3)
        {
            string query = layer + _names.Qkv[0], key = layer + _names.Qkv[1], value = layer + _names.Qkv[2];
            PackedMatrix matrix = Keep(_packer.Pack(
                new TensorMatrix(_files.Get(query + ".weight", queries, hidden)),
                new TensorMatrix(_files.Get(key + ".weight", keys, hidden)),
                new TensorMatrix(_files.Get(value + ".weight", keys, hidden))));
            return new DecoderWeights.Linear(matrix, !_config.QkvBias ? null : Keep(_files.Vector(
                _files.Get(query + ".bias", queries), _files.Get(key + ".bias", keys), _files.Get(value + ".bias", keys))));
        }
        string name = layer + _names.Qkv[0];
        if (!_names.IsQkvByHead)
            return Linear(name, queries + 2 * keys, hidden, _config.QkvBias);

        SafetensorsTensor weights = _files.Get(name + ".weight", queries + 2 * keys, hidden);
        RowRuns[] parts = [.. Enumerable.Range(0, 3).Select(part => new RowRuns(part * headDim, queries, headDim, 3 * headDim))];
        TensorMatrix[] matrices = [.. parts.Select(part => new TensorMatrix(weights, rows: part))];
        NativeBuffer? bias = _config.QkvBias ? Reordered(_files.Get(name + ".bias", queries + 2 * keys), parts) : null;
        return new DecoderWeights.Linear(Keep(_packer.Pack(matrices)), bias);
    }

    private DecoderWeights.FeedForward FeedForward(string layer, string[] up, string down, int intermediate, bool isBiased) => new(
        _config.IsGated ? GateUp(layer, up, intermediate, isBiased) : Linear(layer + up[0], intermediate, _config.Hidden, isBiased),
        Linear(layer + down, _config.Hidden, intermediate, isBiased));

    private DecoderWeights.Linear GateUp(string layer, string[] names, int intermediate, bool isBiased)
    {
        long hidden = _config.Hidden;
        RowRuns first = new(0, intermediate), second = new(names.Length == 1 ? intermediate : 0, intermediate);
        SafetensorsTensor gate = Half(names[0], ".weight", hidden), up = Half(names[^1], ".weight", hidden);
        PackedMatrix matrix = Keep(_packer.PackPaired(new TensorMatrix(gate, rows: first), new TensorMatrix(up, rows: second)));
        return new DecoderWeights.Linear(matrix, isBiased ? Paired(Half(names[0], ".bias"), first, Half(names[^1], ".bias"), second) : null);

        SafetensorsTensor Half(string name, string ending, params ReadOnlySpan<long> inputs) =>
            _files.Get(layer + name + ending, [names.Length == 1 ? 2 * intermediate : intermediate, .. inputs]);
    }

    private DecoderWeights.Mixture Mixture(string layer, ExpertsConfig experts) => new(
        Keep(_packer.PackFloats(new TensorMatrix(_files.Get($"{layer}{_names.Router}.weight", experts.Count, _config.Hidden)))),
        [.. Enumerable.Range(0, experts.Count).Select(expert =>
            FeedForward($"{layer}{_names.Expert}{expert}.", _names.ExpertUp, _names.ExpertDown, experts.Intermediate, isBiased: false))]);

    private DecoderWeights.Linear Linear(string name, long outputs, long inputs, bool isBiased)
    {
        bool transposed = _names.IsTransposed;
        SafetensorsTensor tensor = transposed ? _files.Get(name + ".weight", inputs, outputs) : _files.Get(name + ".weight", outputs, inputs);
        return new DecoderWeights.Linear(Keep(_packer.Pack(new TensorMatrix(tensor, transposed))), isBiased ? Vector(name + ".bias", outputs) : null);
    }

    private DecoderWeights.NormWeights Norm(string name, long length) => new(
        NormWeight(_files.Get(name + ".weight", length)), _config.Norm == NormKind.Layer ? Vector(name + ".bias", length) : null);

    private DecoderWeights.NormWeights? HeadNorm(string name, int heads) => _config.QueryKeyNorm switch
    {
        QueryKeyNorm.None => null,
        QueryKeyNorm.Head => new(NormWeight(_files.Get(name + ".weight", _config.HeadDim)), null),
        QueryKeyNorm.Whole => new(NormWeight(_files.Get(name + ".weight", heads * _config.HeadDim)), null),
        _ => new(
            NormWeight([.. Enumerable.Range(0, heads).Select(head => _files.Get($"{name}{head}.weight", _config.HeadDim))]), null),
    };

    private unsafe NativeBuffer NormWeight(params ReadOnlySpan<SafetensorsTensor> parts)
    {
        NativeBuffer weight = Keep(_files.Vector(parts));
        long length = 0;
        foreach (SafetensorsTensor part in parts)
            length += part.Shape[0];
        for (long i = 0; _config.NormWeightsLessOne && i < length; i++)
            weight.Floats[i] += 1;
        return weight;
    }

    private NativeBuffer Vector(string name, long length) => Keep(_files.Vector(_files.Get(name, length)));

    private unsafe NativeBuffer Reordered(SafetensorsTensor tensor, RowRuns[] parts)
    {
        float[] stored = new float[tensor.Shape[0]];
        tensor.Read(0, 1, stored);
        NativeBuffer vector = Keep(_files.Vector(tensor));
        float* target = vector.Floats;
        foreach (RowRuns part in parts)
        {
            for (int i = 0; i < part.Count; i++)
                *target++ = stored[part[i]];
        }
        return vector;
    }

    private unsafe NativeBuffer Paired(SafetensorsTensor gate, RowRuns gateRows, SafetensorsTensor up, RowRuns upRows)
    {
        float[] first = new float[gateRows.Count], second = new float[upRows.Count];
        gate.Read(gateRows.First, 1, first);
        up.Read(upRows.First, 1, second);
        NativeBuffer paired = Keep(new NativeBuffer((long)PackedMatrix.PairedOutputs(first.Length) * sizeof(float)));
        for (int i = 0; i < first.Length; i++)
        {
            float* pair = paired.Floats + i / 16 * PackedMatrix.PanelWidth + i % 16;
            pair[0] = first[i];
            pair[16] = second[i];
        }
        return paired;
    }

    private T Keep<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}
