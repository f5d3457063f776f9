using KvTiers.Blocks;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;
using KvTiers.Samples.TorchGenerate;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Tests;

/// <summary>A third engine at its plainest, as docs/engine.md says what one must do: the models in TorchSharp under our own scheduler.</summary>
/// <remarks>Sequence by sequence, and K and V are read out of their blocks in every step. Blocks of float32 alone.</remarks>
internal sealed class TorchLanguageModel(TorchModel model, byte[] fingerprint) : LanguageModel
{
    public override ModelConfig Config => model.Config;

    public override ReadOnlyMemory<byte> Fingerprint => fingerprint;

    public override void Forward(StepBatch batch)
    {
        batch.ReserveLogits();
        for (int i = 0; i < batch.Segments.Length; i++)
        {
            StepSegment segment = batch.Segments[i];
            using var past = new BlockPast(Config, batch.Layout, segment.Table, segment.StartPosition);
            using Tensor logits = model.Forward(batch.TokenIds.Slice(segment.FirstRow, segment.RowCount), past, Math.Max(1, segment.LogitRowCount));
            for (int row = 0; row < segment.LogitRowCount; row++)
            {
                using Tensor one = logits[0, row];
                one.contiguous().data<float>().CopyTo(batch.Logits(i, row));
            }
        }
    }

    public override Task MoveToHugePagesAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Dispose() => model.Dispose();

    /// <summary>K and V in the blocks of a sequence that belongs to the scheduler.</summary>
    private sealed class BlockPast(ModelConfig config, BlockLayout layout, BlockTable table, int start) : Past
    {
        private int _count;

        public override int Batch => 1;

        public override int Length => start;

        public override long CopiedBytes => 0;

        public override (Tensor Key, Tensor Value) Update(Tensor key, Tensor value, int layer)
        {
            _count = (int)key.size(2);
            long[] shape = [1, layout.KvHeads, start + _count, layout.HeadDim];
            Tensor keys = empty(shape), values = empty(shape);
            RowMemory Rows(int row)
            {
                nint offset = row * layout.HeadDim * sizeof(float);
                return new RowMemory(HostRows.AddressOf(keys) + offset, HostRows.AddressOf(values) + offset, (long)(start + _count) * layout.HeadDim);
            }

            BlockRows.Read(layout, table, layer, 0, start, Rows(0));
            keys.narrow(2, start, _count).copy_(key);
            values.narrow(2, start, _count).copy_(value);
            BlockRows.Write(layout, table, layer, start, _count, Rows(start));
            return (keys, values);
        }

        public override Tensor? Mask(int layer)
        {
            Tensor all = ones([1, 1, _count, start + _count], dtype: ScalarType.Bool);
            Tensor past = all.tril(start);
            return config.WindowOf(layer) is var window && window < start + _count ? past.logical_and(all.triu(start + 1 - window)) : past;
        }

        public override Tensor Positions(int count) => arange(start, start + count, dtype: ScalarType.Int64).unsqueeze(0);

        public override void Append(ReadOnlySpan<int> tokens)
        {
        }

        public override void Dispose()
        {
        }
    }
}
