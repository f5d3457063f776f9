using KvTiers.Inference.Model;
using KvTiers.Silo.Configuration;
#if TORCH
using KvTiers.TorchSharp.Models;
#endif

namespace KvTiers.Silo.Models;

/// <summary>Opens a model in TorchSharp, in a build that has libtorch; the settings of another one do not come here.</summary>
internal static partial class TorchEngine
{
#if TORCH
    /// <summary>Loads <see cref="SiloOptions.Model"/>.</summary>
    /// <exception cref="ModelFormatException">A weight or configuration file is missing or wrong.</exception>
    /// <exception cref="StartException">libtorch does not load here.</exception>
    public static LanguageModel Open(SiloOptions options, ILogger logger)
    {
        try
        {
            var model = TorchLanguageModel.Open(options.Model, options.Threads);
            Opened(logger, global::TorchSharp.torch.__version__, options.Threads);
            return model;
        }
        catch (Exception e) when (e is TypeInitializationException or NotSupportedException or DllNotFoundException)
        {
            string reason = e.GetBaseException().Message.ReplaceLineEndings(" ");
            throw new StartException(new SettingError("KvTiers:Engine", "torch", $"kvtiers, as libtorch does not load here (docs/torchsharp.md says what it needs): {reason}").ToString(), e);
        }
    }

    [LoggerMessage(7, LogLevel.Information, "Engine torch: libtorch {Version} on {Threads} threads, weights F32")]
    private static partial void Opened(ILogger logger, string version, int threads);
#else
    /// <summary>Not in this build.</summary>
    public static LanguageModel Open(SiloOptions options, ILogger logger) => throw new StartException(new SettingError("KvTiers:Engine", "torch", EngineSettings.Rule).ToString());
#endif
}
