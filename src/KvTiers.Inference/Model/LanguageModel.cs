using KvTiers.Blocks;
using KvTiers.Inference.Kernels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvTiers.Inference.Model;

/// <summary>A transformer that reads token ids and yields logits, and keeps keys and values in blocks that belong to others.</summary>
/// <remarks>
/// Every output element is reduced in one fixed order, so a row's K, V and logits have the same bits whatever else is in the
/// step, however its prompt was cut into chunks, and however many threads compute.
/// </remarks>
public abstract class LanguageModel : IDisposable
{
    private readonly BlockLayout?[] _layouts = new BlockLayout?[Enum.GetValues<KvFormat>().Length];

    /// <summary>The model's shape.</summary>
    public abstract ModelConfig Config { get; }

    /// <summary>32 bytes: SHA-256 of all that a result depends on (shape, weights, weight format).</summary>
    public abstract ReadOnlyMemory<byte> Fingerprint { get; }

    /// <summary>Whether <see cref="Forward"/> gives hidden states to rows that ask for them. False unless the model says so.</summary>
    public virtual bool HasHiddenStates => false;

    /// <summary>Reads a Hugging Face folder, <c>config.json</c> and <c>*.safetensors</c>, or a GGUF file.</summary>
    /// <param name="folder">The folder, or the file.</param>
    /// <param name="options">How.</param>
    /// <param name="logger">Where it is told what the weight cache did.</param>
    /// <exception cref="ModelFormatException">A file is missing, malformed, or asks for what the engine does not compute.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="PlatformNotSupportedException">The processor does not have the kernel path asked for.</exception>
    public static LanguageModel Load(string folder, ModelOptions options, ILogger? logger = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return ModelLoader.Load(folder, options, logger ?? NullLogger.Instance);
    }

    /// <summary>Creates an empty batch for sequences of this model whose KV elements have <paramref name="format"/>.</summary>
    public StepBatch CreateBatch(KvFormat format) => new(Config.CreateLayout(format), Config.Vocabulary);

    /// <summary>
    /// Computes every row of <paramref name="batch"/>: writes its K and V into its table's blocks, attends over positions 0 to
    /// its own, and fills the logits and hidden states that were asked for. One call at a time.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// A token id outside the vocabulary, a position outside the context, or a batch made for another layout. Nothing is written then.
    /// </exception>
    public abstract void Forward(StepBatch batch);

    /// <summary>
    /// Computes small steps of every size that has kernels of its own, in blocks of its own, so that no request waits while the runtime compiles them.
    /// </summary>
    /// <param name="format">Element format of the blocks to come.</param>
    public void WarmUp(KvFormat format)
    {
        const int MostRows = 12;
        using StepBatch batch = CreateBatch(format);
        using BlockPool pool = new(batch.Layout, batch.Layout.BlocksFor(MostRows));
        BlockTable table = new();
        while (pool.TryAllocate(out int slot))
            table.Append(slot, pool.Address(slot));
        Span<int> tokens = stackalloc int[MostRows];
        tokens.Clear();
        foreach (int rows in (ReadOnlySpan<int>)[MostRows, 8, 6, 4, 3, 2, 1])
        {
            batch.Clear();
            batch.Add(table, tokens[..rows], 0, 1);
            Forward(batch);
        }
    }

    /// <summary>
    /// Moves weights that were mapped from the weight cache's file to huge pages, in place, in the background, while the model is used: decode then reads
    /// them faster. Best once the first requests can be taken, as it keeps a processor busy for a while. Changes no result.
    /// </summary>
    /// <returns>Ends when it is done, or it is cancelled, or the model is disposed; what is not moved then stays as it is.</returns>
    public abstract Task MoveToHugePagesAsync(CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Checks a step before anything is written: what <see cref="Forward"/> must refuse.</summary>
    /// <exception cref="ArgumentException">A token id outside the vocabulary, a position outside the context or the table, or a batch made for another layout.</exception>
    protected void Check(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Vocabulary != Config.Vocabulary || batch.Layout != (_layouts[(int)batch.Layout.Format] ??= Config.CreateLayout(batch.Layout.Format)))
            throw new ArgumentException("The batch was made for another layout or vocabulary.", nameof(batch));
        if (batch.HiddenRowCount > 0 && !HasHiddenStates)
            throw new ArgumentException("The model gives no hidden states.", nameof(batch));
        foreach (int token in batch.TokenIds)
        {
            if ((uint)token >= (uint)Config.Vocabulary)
                throw new ArgumentException($"Token {token} is outside the vocabulary of {Config.Vocabulary}.", nameof(batch));
        }
        foreach (StepSegment segment in batch.Segments)
        {
            long end = (long)segment.StartPosition + segment.RowCount;
            if (end > Config.ContextLength)
                throw new ArgumentException($"Position {end - 1} is outside the context of {Config.ContextLength} tokens.", nameof(batch));
            if (end > (long)segment.Table.Count * batch.Layout.BlockSize)
                throw new ArgumentException($"A table of {segment.Table.Count} blocks has no room for position {end - 1}.", nameof(batch));
        }
    }
}
