using KvTiers.Blocks;

namespace KvTiers.Inference.Model;

/// <summary>A transformer that reads token ids and yields logits, and keeps keys and values in blocks that belong to others.</summary>
/// <remarks>
/// Every output element is reduced in one fixed order, so a row's K, V and logits have the same bits whatever else is in the
/// step, however its prompt was cut into chunks, and however many threads compute.
/// </remarks>
public abstract class LanguageModel : IDisposable
{
    /// <summary>The model's shape.</summary>
    public abstract ModelConfig Config { get; }

    /// <summary>32 bytes: SHA-256 of all that a result depends on (shape, weights, weight format).</summary>
    public abstract ReadOnlyMemory<byte> Fingerprint { get; }

    /// <summary>Reads a Hugging Face folder: <c>config.json</c> and <c>*.safetensors</c>.</summary>
    /// <exception cref="ModelFormatException">A file is missing, malformed, or asks for what the engine does not compute.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="PlatformNotSupportedException">The processor does not have the kernel path asked for.</exception>
    public static LanguageModel Load(string folder, ModelOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return ModelLoader.Load(folder, options);
    }

    /// <summary>Creates an empty batch for sequences of this model whose KV elements have <paramref name="format"/>.</summary>
    public StepBatch CreateBatch(KvFormat format) => new(Config.CreateLayout(format), Config.Vocabulary);

    /// <summary>
    /// Computes every row of <paramref name="batch"/>: writes its K and V into its table's blocks, attends over positions 0 to
    /// its own, and fills the logits that were asked for. One call at a time.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// A token id outside the vocabulary, a position outside the context, or a batch made for another layout. Nothing is written then.
    /// </exception>
    public abstract void Forward(StepBatch batch);

    /// <inheritdoc/>
    public abstract void Dispose();
}
