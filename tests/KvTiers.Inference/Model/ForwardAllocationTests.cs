using KvTiers.Blocks;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

[Collection(nameof(ForwardAllocationTests))]
[CollectionDefinition(nameof(ForwardAllocationTests), DisableParallelization = true)]
public sealed class ForwardAllocationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("", 1)]
    [InlineData("", 2)]
    [InlineData("gemma3", 2)]
    [InlineData("qwen3-moe", 2)]
    [InlineData("stablelm-parallel", 2)]
    public void AWarmStepAllocatesNothingOnAnyThread(string golden, int threads)
    {
        string folder = golden.Length == 0 ? TestModel.Llama().Write(_folder.Sub("model")) : GoldenModels.Folder(golden);
        using LanguageModel model = LanguageModel.Load(folder, new ModelOptions { Threads = threads });
        using ModelRun run = new(model, KvFormat.BF16);
        BlockTable[] tables = [run.Table(600), run.Table(600)];
        int[] prompt = new int[100];
        for (int i = 0; i < 50; i++)
            Step(100 + i);

        // The runtime's own background work may allocate in between: one clean stretch out of several proves the step.
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 5 && least > 0; attempt++)
        {
            long own = GC.GetAllocatedBytesForCurrentThread(), all = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < 20; i++)
                Step(200 + i);
            own = GC.GetAllocatedBytesForCurrentThread() - own;
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - all);
            Assert.Equal(0, own);
        }
        Assert.Equal(0, least);

        void Step(int position)
        {
            run.Batch.Clear();
            run.Batch.Add(tables[0], prompt.AsSpan(0, 1), position, 1);
            run.Batch.Add(tables[1], prompt, position, 1);
            model.Forward(run.Batch);
        }
    }

    public void Dispose() => _folder.Dispose();
}
