using System.Globalization;
using System.Text;

namespace KvTiers.Inference.Model;

/// <content>The text that stands for a model in its fingerprint.</content>
public sealed partial record ModelConfig
{
    /// <summary>
    /// Every property that a result depends on, in a fixed order and the invariant culture. It names stored blocks: a line that was once written for a
    /// model stays as it is, and a property that came later has none where it says what was always computed.
    /// </summary>
    internal string Canonical()
    {
        StringBuilder text = new();
        RotaryConfig? rotary = LayerConfigs[0].Rotary;
        int firstWindowed = FirstWindowed();
        bool isPlain = IsPlain(firstWindowed);
        Line("architecture", LearnedPositions ? "Gpt2" : "Llama");
        Line("layers", Layers);
        Line("heads", Heads);
        Line("kv_heads", KvHeads);
        Line("head_dim", HeadDim);
        Line("hidden", Hidden);
        Line("intermediate", Intermediate);
        Line("vocabulary", Vocabulary);
        Line("norm_epsilon", NormEpsilon);
        Line("tied_embeddings", TiedEmbeddings ? 1 : 0);
        Line("qkv_bias", QkvBias ? 1 : 0);
        Line("output_bias", OutputBias ? 1 : 0);
        Line("feed_forward_bias", FeedForwardBias ? 1 : 0);
        Line("rope_theta", rotary?.Theta ?? 10_000);
        Scaling(rotary?.Scaling);
        Line("sliding_window", isPlain && firstWindowed < Layers ? WindowOf(firstWindowed) : 0);
        Line("first_windowed_layer", isPlain && firstWindowed < Layers ? firstWindowed : 0);
        Unless(LearnedPositions ? NormKind.Layer : NormKind.Rms, "norm", Norm);
        Unless(false, "norm_weights_less_one", NormWeightsLessOne);
        Unless(NormPlacement.Before, "norm_placement", NormPlacement);
        Unless(ResidualKind.Sequential, "residual", Residual);
        Unless(QueryKeyNorm.None, "query_key_norm", QueryKeyNorm);
        Unless(LearnedPositions ? ActivationKind.GeluTanh : ActivationKind.Silu, "activation", Activation);
        Unless(!LearnedPositions, "is_gated", IsGated);
        Unless(null, "experts", Experts is null ? null : Invariant($"{Experts.Count},{Experts.PerToken},{Experts.Intermediate},{Experts.IsNormalised}"));
        Unless(null, "attention_scale", AttentionScale);
        Unless(null, "attention_cap", AttentionCap);
        Unless(1f, "embedding_scale", EmbeddingScale);
        Unless(1f, "residual_scale", ResidualScale);
        Unless(1f, "logit_scale", LogitScale);
        Unless(null, "logit_cap", LogitCap);
        for (int i = 0; !isPlain && i < Layers; i++)
        {
            LayerConfig layer = LayerConfigs[i];
            Line("layer", i);
            Line("window", layer.Window ?? 0);
            Line("has_experts", layer.HasExperts ? 1 : 0);
            Line("rotary_dim", layer.Rotary?.Dim ?? 0);
            if (layer.Rotary is { } own)
            {
                Line("theta", own.Theta);
                Scaling(own.Scaling);
            }
        }
        return text.ToString();

        void Line(string name, IConvertible value) => text.Append(name).Append('=').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');

        void Unless(IConvertible? usual, string name, IConvertible? value)
        {
            if (value is not null && !value.Equals(usual))
                Line(name, value);
        }

        void Scaling(RopeScaling? scaling)
        {
            switch (scaling)
            {
                case RopeScaling.Linear linear:
                    Line("rope_linear", linear.Factor);
                    break;
                case RopeScaling.Llama3 llama3:
                    Line("rope_llama3", llama3.Factor);
                    Line("rope_low", llama3.LowFrequencyFactor);
                    Line("rope_high", llama3.HighFrequencyFactor);
                    Line("rope_original", llama3.OriginalContextLength);
                    break;
                case RopeScaling.Yarn yarn:
                    Line("rope_yarn", yarn.Factor);
                    Line("rope_fast", yarn.BetaFast);
                    Line("rope_slow", yarn.BetaSlow);
                    Line("rope_original", yarn.OriginalContextLength);
                    Line("rope_truncated", yarn.IsTruncated ? 1 : 0);
                    Line("rope_attention", yarn.AttentionFactor);
                    break;
                case RopeScaling.LongRope longRope:
                    Line("rope_long", string.Join(',', longRope.Factors.Select(factor => factor.ToString(CultureInfo.InvariantCulture))));
                    Line("rope_attention", longRope.AttentionFactor);
                    break;
            }
        }
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    // The first layer with a window; Layers without one.
    private int FirstWindowed()
    {
        int first = 0;
        while (first < Layers && LayerConfigs[first].Window is null)
            first++;
        return first;
    }

    // All layers alike, heads that turn as a whole, and one window from some layer on: what the lines without a layer can say.
    private bool IsPlain(int firstWindowed)
    {
        RotaryConfig? rotary = LayerConfigs[0].Rotary;
        if (LearnedPositions ? rotary is not null : rotary?.Dim != HeadDim)
            return false;
        for (int i = 0; i < Layers; i++)
        {
            LayerConfig layer = LayerConfigs[i];
            if (layer.HasExperts || layer.Rotary != rotary || layer.Window != (i < firstWindowed ? null : LayerConfigs[firstWindowed].Window))
                return false;
        }
        return true;
    }
}
