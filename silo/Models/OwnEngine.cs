using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Models;

/// <summary>Opens a model in our own engine.</summary>
internal static partial class OwnEngine
{
    /// <summary>Loads <see cref="SiloOptions.Model"/>.</summary>
    /// <exception cref="ModelFormatException">A weight or configuration file is missing or wrong.</exception>
    public static LanguageModel Open(SiloOptions options, ILogger logger, ILogger modelLogger)
    {
        KernelPath kernels = KernelPaths.Widest;
        var model = LanguageModel.Load(
            options.Model,
            new ModelOptions
            {
                WeightFormat = options.Weights,
                Threads = options.Threads,
                KernelPath = kernels,
                WeightCacheFolder = options.WeightCache ? Path.Combine(options.Data, "weights") : null,
            },
            modelLogger);
        Opened(logger, kernels, options.Threads, options.Weights);
        return model;
    }

    [LoggerMessage(2, LogLevel.Information, "Engine kvtiers: kernels {Path} on {Threads} threads, weights {Weights}")]
    private static partial void Opened(ILogger logger, KernelPath path, int threads, WeightFormat weights);
}
