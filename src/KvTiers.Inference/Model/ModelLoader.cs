using KvTiers.Inference.Kernels;
using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Model;

/// <summary>Reads a folder: shape, then weights, packed by all threads or read as they were packed before, and the fingerprint.</summary>
internal static class ModelLoader
{
    public static LanguageModel Load(string folder, ModelOptions options, ILogger logger)
    {
        KernelPath path = KernelPaths.Choose(options.KernelPath);
        ModelConfig config = ModelConfig.Load(folder);
        using WeightFiles files = new(folder);
        string arithmetic = $"{config.Canonical()}weights={options.WeightFormat}\n";
        WeightCache? cache = options.WeightCacheFolder is null
            ? null
            : new WeightCache(options.WeightCacheFolder, folder, files.Paths, arithmetic, options.WeightFormat, logger);
        ThreadTeam team = new(options.Threads == 0 ? Math.Min(Environment.ProcessorCount, 64) : options.Threads);
        WeightArena arena = new();
        try
        {
            WeightCacheFile? cached = cache?.TryOpen(team, arena);
            MatrixPacker packer = new(team, options.WeightFormat, arena, cached);
            DecoderWeights weights = DecoderWeightsReader.Read(files, config, packer);
            DecoderModel model = new(config, weights, team, path, cached?.Fingerprint ?? files.Fingerprint(team, arithmetic), options.RowTile);
            model.WeightMemory = arena;
            if (cached is null)
                cache?.TryWrite(model.Fingerprint.Span, packer.Packed, team);
            return model;
        }
        catch
        {
            team.Dispose();
            arena.Dispose();
            throw;
        }
    }
}
