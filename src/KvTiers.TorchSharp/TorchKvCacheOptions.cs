using KvTiers.Blocks;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp;

/// <summary>Where keys and values lie as tensors, and how much of them attention gets to see.</summary>
public sealed record TorchKvCacheOptions
{
    /// <summary>Tokens that a sequence may have, 1 or more: the model's context.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>
    /// Tokens that there is room for at first, 1 or more; more than <see cref="MaxTokens"/> counts as that. What is too small is doubled. Default 256.
    /// </summary>
    public int InitialTokens { get; init; } = 256;

    /// <summary>
    /// True for the static form: room for <see cref="MaxTokens"/> from the start, and updates return all of it, whatever is filled, so that shapes never
    /// change; <see cref="TorchKvCache.AttentionMask"/> tells the filled rows. False, the default, for the dynamic form: updates return the rows up to the newest.
    /// </summary>
    public bool IsStatic { get; init; }

    /// <summary>A token attends to this many tokens, itself included, in layers that have a window; 1 or more. Null, the default, for all.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>The first layer that <see cref="SlidingWindow"/> applies to; 0 or more. Default 0.</summary>
    public int FirstWindowedLayer { get; init; }

    /// <summary>Element type of the tensors: float32, bfloat16 or float16. Null, the default, for that of the blocks.</summary>
    public ScalarType? ElementType { get; init; }

    /// <summary>Where the tensors are. Null, the default, for the processor's memory.</summary>
    public Device? Device { get; init; }

    /// <summary>True copies between blocks and tensors by way of host tensors even where the tensors' own memory can be read: how it goes on a GPU.</summary>
    internal bool ForceStaging { get; init; }

    /// <summary>Checks every range, and that the elements can hold what the blocks hold.</summary>
    /// <param name="layout">The shape of the blocks.</param>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate(BlockLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        Check(MaxTokens >= 1, nameof(MaxTokens), MaxTokens, "1 or more");
        Check(InitialTokens >= 1, nameof(InitialTokens), InitialTokens, "1 or more");
        Check(SlidingWindow is null or >= 1, nameof(SlidingWindow), SlidingWindow, "1 or more");
        Check(FirstWindowedLayer >= 0, nameof(FirstWindowedLayer), FirstWindowedLayer, "0 or more");
        ScalarType type = TypeFor(layout);
        Check(type is ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16, nameof(ElementType), type, "float32, bfloat16 or float16");
        Check(
            type != ScalarType.Float16 || layout.Format == KvFormat.F32, nameof(ElementType), type,
            "float32 or bfloat16 when the blocks hold bfloat16, whose range float16 does not have");
    }

    /// <summary>The element type of the tensors, for blocks of a layout.</summary>
    internal ScalarType TypeFor(BlockLayout layout) => ElementType ?? BlockType(layout);

    /// <summary>The window of a layer, in tokens; none is as wide as can be.</summary>
    internal int WindowOf(int layer) => SlidingWindow is { } window && layer >= FirstWindowedLayer ? window : int.MaxValue;

    /// <summary>The element type that has the blocks' own bits.</summary>
    internal static ScalarType BlockType(BlockLayout layout) => layout.Format == KvFormat.F32 ? ScalarType.Float32 : ScalarType.BFloat16;

    private static void Check(bool holds, string property, object? value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{property} is {value}; it must be {rule}.", property);
    }
}
