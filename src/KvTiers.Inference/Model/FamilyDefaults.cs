namespace KvTiers.Inference.Model;

/// <summary>What the configuration of an architecture with rotary positions calls its properties, and what it means by those that it leaves out.</summary>
internal sealed record FamilyDefaults
{
    /// <summary><c>head_dim</c>; null for hidden size / heads.</summary>
    public int? HeadDim { get; init; }

    /// <summary>The file may say <c>head_dim</c>.</summary>
    public bool NamesHeadDim { get; init; } = true;

    /// <summary>The file may say <c>num_key_value_heads</c>; else there are as many as query heads.</summary>
    public bool NamesKvHeads { get; init; } = true;

    /// <summary>Without <c>num_key_value_heads</c> there are as many as query heads; else there are <see cref="KvHeads"/>.</summary>
    public bool KvHeadsAreHeads { get; init; } = true;

    /// <summary><c>num_key_value_heads</c>; null where it must be there.</summary>
    public int? KvHeads { get; init; }

    /// <summary><c>num_attention_heads</c>; null where it must be there.</summary>
    public int? Heads { get; init; }

    /// <summary><c>vocab_size</c>; null where it must be there.</summary>
    public int? Vocabulary { get; init; }

    /// <summary><c>max_position_embeddings</c>; null where it must be there.</summary>
    public int? ContextLength { get; init; }

    /// <summary>The epsilon's name.</summary>
    public string EpsilonName { get; init; } = "rms_norm_eps";

    /// <summary>The epsilon.</summary>
    public double Epsilon { get; init; } = 1e-6;

    /// <summary>The activation's name.</summary>
    public string ActivationName { get; init; } = "hidden_act";

    /// <summary>The activation.</summary>
    public string Activation { get; init; } = "silu";

    /// <summary><c>tie_word_embeddings</c>.</summary>
    public bool IsTied { get; init; }

    /// <summary>The name of the base of the rotary frequencies.</summary>
    public string ThetaName { get; init; } = "rope_theta";

    /// <summary>The base.</summary>
    public double Theta { get; init; } = 10_000;

    /// <summary>The name of the share of a head that turns.</summary>
    public string PartialName { get; init; } = "partial_rotary_factor";

    /// <summary>The share; null where all of a head must turn.</summary>
    public double? Partial { get; init; }

    /// <summary>Kinds of layers, each with an object of its own in <c>rope_parameters</c>; empty where all layers turn alike.</summary>
    public bool HasRotaryByLayerType { get; init; }
}
