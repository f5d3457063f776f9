using KvTiers.Blocks;
using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>
/// The input and output of one forward pass: rows of every sequence that takes part in the step, and the logits or hidden states of those that
/// ask for them. Filled, passed to <see cref="LanguageModel.Forward"/>, read, cleared, filled again; allocates only while it grows.
/// </summary>
public sealed unsafe class StepBatch : IDisposable
{
    private int[] _tokenIds = new int[64];
    private StepSegment[] _segments = new StepSegment[8];
    private NativeBuffer _logits = new(0);
    private float[] _hidden = [];
    private int _hiddenWidth;
    private int _segmentCount;

    /// <summary>Creates an empty batch for sequences whose blocks have <paramref name="layout"/>.</summary>
    /// <param name="layout">The layout of every block table that will be added.</param>
    /// <param name="vocabulary">Length of a row of logits.</param>
    public StepBatch(BlockLayout layout, int vocabulary)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabulary);
        Layout = layout;
        Vocabulary = vocabulary;
    }

    /// <summary>The layout of every block in the batch.</summary>
    public BlockLayout Layout { get; }

    /// <summary>Length of a row of logits.</summary>
    public int Vocabulary { get; }

    /// <summary>Rows in the batch: one per token to compute.</summary>
    public int RowCount { get; private set; }

    /// <summary>Rows of logits that the step yields.</summary>
    public int LogitRowCount { get; private set; }

    /// <summary>Rows of hidden states that the step yields.</summary>
    public int HiddenRowCount { get; private set; }

    /// <summary>The token of each row.</summary>
    public ReadOnlySpan<int> TokenIds => _tokenIds.AsSpan(0, RowCount);

    /// <summary>The sequences in the batch, in the order they were added.</summary>
    public ReadOnlySpan<StepSegment> Segments => _segments.AsSpan(0, _segmentCount);

    /// <summary>The first logit of the batch: [LogitRowCount, Vocabulary].</summary>
    internal float* LogitsPointer => _logits.Floats;

    /// <summary>Removes all rows and keeps the memory.</summary>
    public void Clear()
    {
        Array.Clear(_segments, 0, _segmentCount);
        _segmentCount = 0;
        RowCount = 0;
        LogitRowCount = 0;
        HiddenRowCount = 0;
    }

    /// <summary>Adds consecutive tokens of one sequence. A sequence is added to a step at most once.</summary>
    /// <param name="table">The sequence's blocks; unchanged until the step is done.</param>
    /// <param name="tokens">The tokens to compute, at least one.</param>
    /// <param name="startPosition">Position of the first of them. K and V of everything before are in the blocks.</param>
    /// <param name="logitRows">How many of the last rows get logits: 0 to tokens.Length.</param>
    /// <exception cref="ArgumentException">No token, a negative position, more logits than rows, or too few blocks in the table.</exception>
    public void Add(BlockTable table, ReadOnlySpan<int> tokens, int startPosition, int logitRows) => Add(table, tokens, startPosition, logitRows, 0);

    /// <summary>As <see cref="Add(BlockTable, ReadOnlySpan{int}, int, int)"/>, for what follows the last layer and its norm instead of logits.</summary>
    /// <param name="table">The sequence's blocks; unchanged until the step is done.</param>
    /// <param name="tokens">The tokens to compute, at least one.</param>
    /// <param name="startPosition">Position of the first of them. K and V of everything before are in the blocks.</param>
    /// <param name="hiddenRows">How many of the last rows get hidden states: 0 to tokens.Length.</param>
    /// <exception cref="ArgumentException">No token, a negative position, more hidden states than rows, or too few blocks in the table.</exception>
    public void AddForHidden(BlockTable table, ReadOnlySpan<int> tokens, int startPosition, int hiddenRows) => Add(table, tokens, startPosition, 0, hiddenRows);

    private void Add(BlockTable table, ReadOnlySpan<int> tokens, int startPosition, int logitRows, int hiddenRows)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (tokens.IsEmpty)
            throw new ArgumentException("A segment has at least one token.", nameof(tokens));
        ArgumentOutOfRangeException.ThrowIfNegative(startPosition);
        if ((uint)logitRows > (uint)tokens.Length)
            throw new ArgumentOutOfRangeException(nameof(logitRows), logitRows, $"Must be 0 to the number of tokens, {tokens.Length}.");
        if ((uint)hiddenRows > (uint)tokens.Length)
            throw new ArgumentOutOfRangeException(nameof(hiddenRows), hiddenRows, $"Must be 0 to the number of tokens, {tokens.Length}.");
        if ((long)table.Count * Layout.BlockSize < (long)startPosition + tokens.Length)
        {
            throw new ArgumentException(
                $"The table's {table.Count} blocks hold fewer than {(long)startPosition + tokens.Length} tokens.", nameof(table));
        }

        if (_tokenIds.Length < RowCount + tokens.Length)
            Array.Resize(ref _tokenIds, Math.Max(_tokenIds.Length * 2, RowCount + tokens.Length));
        if (_segments.Length == _segmentCount)
            Array.Resize(ref _segments, _segments.Length * 2);

        tokens.CopyTo(_tokenIds.AsSpan(RowCount));
        _segments[_segmentCount++] = new StepSegment(table, RowCount, tokens.Length, startPosition, logitRows, LogitRowCount, hiddenRows, HiddenRowCount);
        RowCount += tokens.Length;
        LogitRowCount += logitRows;
        HiddenRowCount += hiddenRows;
    }

    /// <summary>The logits of one row, valid from the end of the forward pass until the batch is cleared.</summary>
    /// <param name="segment">Index of the segment.</param>
    /// <param name="row">0 to its LogitRowCount − 1, counted among the rows that have logits.</param>
    /// <returns>[Vocabulary]. Writable, so that a sampler may work in place.</returns>
    public Span<float> Logits(int segment, int row)
    {
        StepSegment owner = Segments[segment];
        if ((uint)row >= (uint)owner.LogitRowCount)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"The segment has {owner.LogitRowCount} rows of logits.");
        long first = (long)(owner.FirstLogitRow + row) * Vocabulary;
        if ((first + Vocabulary) * sizeof(float) > _logits.ByteCount)
            throw new InvalidOperationException("The forward pass has not run.");
        return new Span<float>(_logits.Floats + first, Vocabulary);
    }

    /// <summary>The hidden state of one row, valid from the end of the forward pass until the batch is cleared.</summary>
    /// <param name="segment">Index of the segment.</param>
    /// <param name="row">0 to its HiddenRowCount − 1, counted among the rows that have hidden states.</param>
    /// <returns>[hidden].</returns>
    public ReadOnlySpan<float> Hidden(int segment, int row)
    {
        StepSegment owner = Segments[segment];
        if ((uint)row >= (uint)owner.HiddenRowCount)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"The segment has {owner.HiddenRowCount} rows of hidden states.");
        return _hidden.AsSpan((owner.FirstHiddenRow + row) * _hiddenWidth, _hiddenWidth);
    }

    /// <summary>Takes the hidden state of one row, from the model.</summary>
    /// <param name="segment">Index of the segment.</param>
    /// <param name="row">0 to its HiddenRowCount − 1, counted among the rows that have hidden states.</param>
    /// <param name="hidden">[hidden], after the last norm.</param>
    public void SetHidden(int segment, int row, ReadOnlySpan<float> hidden)
    {
        StepSegment owner = Segments[segment];
        if ((uint)row >= (uint)owner.HiddenRowCount)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"The segment has {owner.HiddenRowCount} rows of hidden states.");
        SetHidden(owner.FirstHiddenRow + row, hidden);
    }

    /// <summary>Takes the hidden state of one of the step's rows.</summary>
    internal void SetHidden(int row, ReadOnlySpan<float> hidden)
    {
        _hiddenWidth = hidden.Length;
        if (_hidden.Length < HiddenRowCount * hidden.Length)
            _hidden = new float[HiddenRowCount * hidden.Length];
        hidden.CopyTo(_hidden.AsSpan(row * hidden.Length));
    }

    /// <summary>Makes room for the logits of all rows that ask for them.</summary>
    public void ReserveLogits()
    {
        long needed = (long)LogitRowCount * Vocabulary * sizeof(float);
        if (needed <= _logits.ByteCount)
            return;
        _logits.Dispose();
        _logits = new NativeBuffer(Math.Max(needed, _logits.ByteCount * 2));
    }

    /// <inheritdoc/>
    public void Dispose() => _logits.Dispose();
}
