using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>Reads a folder: shape, then weights, packed by all threads, then the fingerprint.</summary>
internal static class ModelLoader
{
    public static LanguageModel Load(string folder, ModelOptions options)
    {
        KernelPath path = KernelPaths.Choose(options.KernelPath);
        ModelConfig config = ModelConfig.Load(folder);
        using WeightFiles files = new(folder);
        ThreadTeam team = new(options.Threads == 0 ? Math.Min(Environment.ProcessorCount, 64) : options.Threads);
        try
        {
            MatrixPacker packer = new(team, options.WeightFormat);
            if (config.Architecture == ModelArchitecture.Llama)
            {
                LlamaWeights llama = LlamaWeights.Load(files, config, packer);
                return new LlamaModel(config, llama, team, path, Fingerprint(), options.RowTile);
            }
            Gpt2Weights gpt2 = Gpt2Weights.Load(files, config, packer);
            return new Gpt2Model(config, gpt2, team, path, Fingerprint(), options.RowTile);
        }
        catch
        {
            team.Dispose();
            throw;
        }

        byte[] Fingerprint() => files.Fingerprint(team, $"{config.Canonical()}weights={options.WeightFormat}\n");
    }
}
