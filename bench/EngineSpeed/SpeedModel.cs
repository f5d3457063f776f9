using KvTiers.Blocks;
using KvTiers.Inference.Model;

namespace KvTiers.Bench.EngineSpeed;

/// <summary>A model in one weight format with blocks of its own, run without a cache or a scheduler: the kernels' own speed.</summary>
internal sealed class SpeedModel : IDisposable
{
    private readonly LanguageModel _model;
    private readonly BlockPool _pool;
    private readonly StepBatch _batch;
    private readonly BlockTable[] _tables;
    private readonly int[] _tokens;

    public SpeedModel(string folder, ModelOptions options, KvFormat kv, int sequences, int tokensEach)
    {
        _model = LanguageModel.Load(folder, options);
        _batch = _model.CreateBatch(kv);
        int blocksEach = _batch.Layout.BlocksFor(tokensEach);
        _pool = new BlockPool(_batch.Layout, sequences * blocksEach);
        _tables = new BlockTable[sequences];
        for (int i = 0; i < sequences; i++)
        {
            _tables[i] = new BlockTable();
            for (int block = 0; block < blocksEach && _pool.TryAllocate(out int slot); block++)
            {
                _pool.Bytes(slot).Clear();
                _tables[i].Append(slot, _pool.Address(slot));
            }
        }

        var random = new Random(1);
        _tokens = [.. Enumerable.Range(0, tokensEach).Select(_ => random.Next(_model.Config.Vocabulary))];
    }

    public ModelConfig Config => _model.Config;

    /// <summary>Bytes of K and V of one token.</summary>
    public int KvBytesPerToken => _batch.Layout.BytesPerBlock / _batch.Layout.BlockSize;

    /// <summary>Computes tokens of the first sequence from a position on, with the last one's logits.</summary>
    public void Prefill(int count, int position = 0)
    {
        _batch.Clear();
        _batch.Add(_tables[0], _tokens.AsSpan(position, count), position, 1);
        _model.Forward(_batch);
    }

    /// <summary>Computes one token of each of the first sequences.</summary>
    public void Decode(int sequences, int position)
    {
        _batch.Clear();
        for (int i = 0; i < sequences; i++)
            _batch.Add(_tables[i], _tokens.AsSpan(position, 1), position, 1);
        _model.Forward(_batch);
    }

    public void Dispose()
    {
        _batch.Dispose();
        _pool.Dispose();
        _model.Dispose();
    }
}
