namespace KvTiers.Inference.Model;

/// <content>Which layers see a sliding window.</content>
internal static partial class ModelConfigReader
{
    private const string FullAttention = "full_attention";
    private const string SlidingAttention = "sliding_attention";

    // What is left out means the usual one, null none.
    private static int? Window(JsonProperties json, int? usual)
    {
        if (!json.IsGiven("sliding_window"))
            return usual;
        return json.Has("sliding_window") ? json.Int("sliding_window", 1, int.MaxValue) : null;
    }

    // A window that is given and switched off.
    private static int? IgnoredWindow(JsonProperties json)
    {
        _ = Window(json, null);
        return null;
    }

    // Qwen's windows are off unless switched on, and begin at a layer.
    private static ModelConfig WithSwitchedWindow(JsonProperties json, ModelConfig config)
    {
        int? window = json.Flag("use_sliding_window", false) ? Window(json, 4_096) : IgnoredWindow(json);
        int first = json.Int("max_window_layers", 0, int.MaxValue, 28);
        return WithLayerTypes(json, config, window, i => i >= first);
    }

    /// <summary>Layers as <c>layer_types</c> names them; without it, by the architecture's rule.</summary>
    private static ModelConfig WithLayerTypes(JsonProperties json, ModelConfig config, int? window, Func<int, bool> isWindowed)
    {
        if (json.Texts("layer_types") is not { } types)
            return WithWindow(config, window, isWindowed);
        if (types.Length != config.Layers)
            throw json.Fault("layer_types", $"has {types.Length} entries but must have num_hidden_layers, {config.Layers}.");
        for (int i = 0; i < types.Length; i++)
        {
            if (types[i] is not (FullAttention or SlidingAttention))
                throw json.Fault("layer_types", $"has {types[i]} at {i}; supported are {FullAttention} and {SlidingAttention}.");
        }
        if (window is null && types.Contains(SlidingAttention))
            throw json.Fault("sliding_window", "is required by layer_types.");
        return WithWindow(config, window, i => types[i] == SlidingAttention);
    }

    private static ModelConfig WithWindow(ModelConfig config, int? window, Func<int, bool> isWindowed) => config with
    {
        LayerConfigs = [.. config.LayerConfigs.Select((layer, i) => isWindowed(i) ? layer with { Window = window } : layer)],
    };
}
