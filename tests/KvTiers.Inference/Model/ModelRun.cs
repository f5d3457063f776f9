using KvTiers.Blocks;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

/// <summary>Runs whole prompts through a model, with a block pool of its own.</summary>
internal sealed class ModelRun : IDisposable
{
    private readonly BlockPool _pool;

    public ModelRun(LanguageModel model, KvFormat format = KvFormat.F32, int blocks = 128)
    {
        Model = model;
        Batch = model.CreateBatch(format);
        _pool = new BlockPool(Batch.Layout, blocks);
        // What a block holds beyond its tokens must not matter: not even NaN.
        for (int slot = 0; slot < blocks; slot++)
            _pool.Bytes(slot).Fill(0xFF);
    }

    public LanguageModel Model { get; }

    public StepBatch Batch { get; }

    /// <summary>A table with room for so many tokens.</summary>
    public BlockTable Table(int tokens)
    {
        BlockTable table = new();
        for (int i = 0; i < Batch.Layout.BlocksFor(tokens); i++)
        {
            Assert.True(_pool.TryAllocate(out int slot));
            table.Append(slot, _pool.Address(slot));
        }
        return table;
    }

    /// <summary>Computes a prompt in chunks of a length, with logits for every row: [tokens · vocabulary].</summary>
    public float[] Logits(int[] tokens, int chunk = int.MaxValue)
    {
        BlockTable table = Table(tokens.Length);
        List<float> logits = [];
        for (int start = 0; start < tokens.Length; start += Math.Min(chunk, tokens.Length))
        {
            int count = Math.Min(chunk, tokens.Length - start);
            Batch.Clear();
            Batch.Add(table, tokens.AsSpan(start, count), start, count);
            Model.Forward(Batch);
            for (int row = 0; row < count; row++)
                logits.AddRange(Batch.Logits(0, row));
        }
        return [.. logits];
    }

    public void Dispose()
    {
        Batch.Dispose();
        _pool.Dispose();
    }
}
