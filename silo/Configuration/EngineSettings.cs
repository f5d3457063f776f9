using KvTiers.Inference.Model;

namespace KvTiers.Silo.Configuration;

/// <summary>Which engine is asked for, and which this build has.</summary>
internal static class EngineSettings
{
    /// <summary>What a start with the other engine takes.</summary>
    public const string BuildCommand = "dotnet run --project silo -c Release -p:Torch=cpu -- --engine torch";

#if TORCH
    /// <summary>True in a build with libtorch.</summary>
    public const bool HasTorch = true;
#else
    /// <summary>True in a build with libtorch.</summary>
    public const bool HasTorch = false;
#endif

    /// <summary>What the setting must be, as an error says it.</summary>
    public static string Rule => HasTorch ? "kvtiers or torch" : $"kvtiers: this server was built without libtorch. With it, torch is there too: {BuildCommand}";

    /// <summary>An engine's name, as it is set and reported.</summary>
    public static string NameOf(EngineKind engine) => engine == EngineKind.Torch ? "torch" : "kvtiers";

    /// <summary>Reads a name; false when this build has no such engine.</summary>
    public static bool TryParse(string text, out EngineKind value)
    {
        value = text.Equals("torch", StringComparison.OrdinalIgnoreCase) ? EngineKind.Torch : EngineKind.KvTiers;
        return value == EngineKind.Torch ? HasTorch : text.Equals("kvtiers", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Settings that the engine does not have.</summary>
    public static IEnumerable<SettingError> Conflicts(SiloOptions options)
    {
        if (options.Engine == EngineKind.Torch && ModelFolder.IsFile(options.Model))
            yield return new SettingError("KvTiers:Model", options.Model, "a folder with .safetensors files under the engine torch, which reads no GGUF");
        if (options is { Engine: EngineKind.Torch, Weights: WeightFormat.BF16 or WeightFormat.Int8 or WeightFormat.Int4 })
            yield return new SettingError("KvTiers:Weights", options.Weights.ToString().ToLowerInvariant(), "auto or f32 under the engine torch, which computes in 32-bit floats");
    }
}
