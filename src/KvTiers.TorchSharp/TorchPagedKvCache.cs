using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp;

/// <summary>The keys and values of a batch of sequences for a model that indexes blocks itself: blocks as rows of tensors, and a table of rows for each sequence.</summary>
/// <remarks>
/// <para>A step: <see cref="Write"/> once a layer, attention over <see cref="KeyBlocks"/> and <see cref="ValueBlocks"/> by way of <see cref="BlockTable"/>, then
/// <see cref="Append"/>. A block that several sequences share is one row, so beams and samples hold their prefix once.</para>
/// <para>In the processor's memory, with the blocks' own element type. One owner uses it at a time. It owns its tensors and leases, and not the tiers.</para>
/// </remarks>
public sealed class TorchPagedKvCache : IDisposable
{
    private readonly SequenceLeases _leases;
    private readonly BlockLayout _layout;
    private readonly BlockArena _arena;
    private readonly int _maxTokens;
    private readonly bool[] _written;
    private int[][] _held;
    private int _pending;
    private long _updatedBytes;
    private long _storedBytes;

    private TorchPagedKvCache(SequenceLeases leases, int maxTokens)
    {
        _leases = leases;
        _layout = leases.Layout;
        _arena = new BlockArena(_layout);
        _maxTokens = maxTokens;
        _written = new bool[_layout.Layers];
        _held = [.. Enumerable.Repeat<int[]>([], leases.Count)];
        for (int sequence = 0; sequence < leases.Count; sequence++)
            Follow(sequence);
    }

    /// <summary>Sequences.</summary>
    public int BatchSize => _leases.Count;

    /// <summary>Transformer layers.</summary>
    public int Layers => _layout.Layers;

    /// <summary>Tokens of the longest sequence whose K and V are held, those of the step not counted.</summary>
    public int SequenceLength => _leases.Longest;

    /// <summary>Rows of the tensors that hold a block: each block once, however many sequences share it.</summary>
    public int BlockCount => _arena.Count;

    /// <summary>What was moved so far.</summary>
    public TorchKvTotals Totals => new()
    {
        UpdatedBytes = _updatedBytes,
        StoredBytes = _storedBytes,
        LoadedBytes = _arena.LoadedBytes,
        GrownBytes = _arena.GrownBytes,
        Allocations = _arena.Allocations,
    };

    /// <summary>Takes what any tier holds of some prompts, the rows of a batch. Their last tokens are never part of it: the cache holds K and V, not logits.</summary>
    /// <param name="tiers">Where blocks are kept. Its layout is the model's.</param>
    /// <param name="root">The namespace, <see cref="TieredCache.RootFor"/> of the model's fingerprint.</param>
    /// <param name="prompts">Token ids, at least one each.</param>
    /// <param name="maxTokens">Tokens that a sequence may have, 1 or more.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <exception cref="ArgumentException">There is no prompt, or one is empty or longer than it may be.</exception>
    public static async Task<TorchPagedKvCache> AcquireAsync(
        TieredCache tiers, BlockHash root, IReadOnlyList<ReadOnlyMemory<int>> prompts, int maxTokens, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTokens);
        ArgumentNullException.ThrowIfNull(prompts);
        SequenceLeases.LayoutOf(tiers);
        if (prompts.Any(prompt => prompt.Length > maxTokens))
            throw new ArgumentException($"A prompt is longer than {maxTokens} tokens.", nameof(prompts));
        return new TorchPagedKvCache(await SequenceLeases.AcquireAsync(tiers, root, prompts, cancellationToken).ConfigureAwait(false), maxTokens);
    }

    /// <summary>Tokens of one sequence whose K and V are held.</summary>
    public int LengthOf(int sequence) => _leases[sequence].TokenCount;

    /// <summary>The ids of those tokens. Valid until the sequence changes.</summary>
    public ReadOnlySpan<int> TokensOf(int sequence) => _leases[sequence].Tokens;

    /// <summary>A layer's keys: [rows, kvHeads, blockSize, headDim]. The cache's own tensor, valid until the next step; rows that no table names hold anything.</summary>
    public Tensor KeyBlocks(int layer) => _arena.Keys(layer);

    /// <summary>A layer's values, in the same order.</summary>
    public Tensor ValueBlocks(int layer) => _arena.Values(layer);

    /// <summary>
    /// The rows of each sequence's blocks in token order: [batch, blocks], int64, those of the step included once a layer is written; shorter sequences end with row
    /// numbers that are not theirs. The caller disposes it.
    /// </summary>
    public Tensor BlockTable()
    {
        int longest = 0;
        foreach (int[] held in _held)
            longest = Math.Max(longest, held.Length);
        long[] rows = new long[BatchSize * longest];
        for (int sequence = 0; sequence < BatchSize; sequence++)
        {
            for (int block = 0; block < _held[sequence].Length; block++)
                rows[sequence * longest + block] = _arena.RowOf(_held[sequence][block]);
        }

        return tensor(rows, [BatchSize, longest]);
    }

    /// <summary>Tokens of each sequence, those of the step included: [batch], int64. The caller disposes it.</summary>
    public Tensor Lengths() => tensor([.. Enumerable.Range(0, BatchSize).Select(sequence => (long)LengthOf(sequence) + _pending)]);

    /// <summary>Writes one layer's K and V of the newest tokens into their blocks. Nothing else is moved.</summary>
    /// <param name="key">[batch, kvHeads, new, headDim].</param>
    /// <param name="value">The same.</param>
    /// <param name="layer">0 to <see cref="Layers"/> − 1.</param>
    /// <exception cref="ArgumentException">A shape is another.</exception>
    /// <exception cref="InvalidOperationException">The number of new tokens is not that of the step's other layers, they are too many, or every block is in use.</exception>
    public void Write(Tensor key, Tensor value, int layer)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)Layers, nameof(layer));
        foreach (Tensor rows in (Tensor[])[key, value])
        {
            if (rows.dim() != 4 || rows.size(0) != BatchSize || rows.size(1) != _layout.KvHeads || rows.size(2) != key.size(2) || rows.size(2) < 1 || rows.size(3) != _layout.HeadDim)
                throw new ArgumentException($"A shape is [{string.Join(", ", rows.shape)}]; it must be [{BatchSize}, {_layout.KvHeads}, new tokens, {_layout.HeadDim}].", nameof(key));
        }

        Begin((int)key.size(2));
        _written[layer] = true;
        for (int sequence = 0; sequence < BatchSize; sequence++)
        {
            foreach ((int row, int token, int first, int count) in Pieces(sequence))
            {
                Copy(_arena.Keys(layer), key, row, token, sequence, first, count);
                Copy(_arena.Values(layer), value, row, token, sequence, first, count);
            }
        }

        _updatedBytes += (long)BatchSize * _pending * _layout.BytesPerToken / Layers;
    }

    /// <summary>Names the tokens whose K and V every layer has written: full blocks are sealed, shared and handed to the tiers.</summary>
    /// <param name="tokens">[batch, new], row by row.</param>
    /// <exception cref="ArgumentException">Their number is not that of the step.</exception>
    /// <exception cref="InvalidOperationException">A layer was not written in this step.</exception>
    public void Append(ReadOnlySpan<int> tokens)
    {
        if (_pending == 0 || tokens.Length != BatchSize * _pending)
            throw new ArgumentException($"{tokens.Length} tokens are named; the step has {_pending} new ones of each of {BatchSize} sequences.", nameof(tokens));
        if (Array.IndexOf(_written, false) is >= 0 and int missing)
            throw new InvalidOperationException($"Layer {missing} was not written in this step: its rows would be those of nobody, and others would find them.");
        for (int sequence = 0; sequence < BatchSize; sequence++)
        {
            BlockLease lease = _leases[sequence];
            foreach ((int row, int token, int first, int count) in Pieces(sequence))
            {
                for (int layer = 0; layer < Layers; layer++)
                    BlockRows.Write(_layout, lease.Table, layer, lease.TokenCount + first, count, _arena.MemoryOf(layer, row, token));
            }

            lease.Append(tokens.Slice(sequence * _pending, _pending));
            Follow(sequence);
        }

        _storedBytes += (long)tokens.Length * _layout.BytesPerToken;
        EndStep();
    }

    /// <summary>Forgets all tokens from one on, of every sequence that has as many, and what a step has written that was not appended.</summary>
    /// <param name="length">Tokens that stay, 0 or more.</param>
    public void Crop(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        EndStep();
        _leases.Crop(length);
        for (int sequence = 0; sequence < BatchSize; sequence++)
            Follow(sequence);
    }

    /// <summary>Makes sequence <c>from[i]</c> the one in place i: a permutation, a choice of beams, or more of them. Blocks are shared; an unfull last one that goes on twice is copied.</summary>
    /// <param name="from">[new batch], each 0 to batch − 1.</param>
    /// <exception cref="ArgumentException">An index is out of range, or there is none.</exception>
    /// <exception cref="InvalidOperationException">A step is not appended, or too few blocks are free; nothing has changed.</exception>
    public void Rearrange(ReadOnlySpan<int> from)
    {
        if (_pending != 0)
            throw new InvalidOperationException("A step is written and not appended: it ends with Append, or with Crop to give it up.");
        if (from.IsEmpty || from.ContainsAnyExceptInRange(0, BatchSize - 1))
            throw new ArgumentException($"Sequences are 0 to {BatchSize - 1}, and at least one must stay.", nameof(from));
        _leases.Rearrange(from);
        int[][] before = _held;
        _held = [.. Enumerable.Repeat<int[]>([], BatchSize)];
        for (int sequence = 0; sequence < BatchSize; sequence++)
            Follow(sequence);
        foreach (int slot in before.SelectMany(slots => slots))
            _arena.Release(slot);
    }

    /// <summary>Makes the last, unfull blocks findable too, as at the end of a turn.</summary>
    public void Publish()
    {
        _leases.Publish();
        for (int sequence = 0; sequence < BatchSize; sequence++)
            Follow(sequence);
    }

    /// <summary>Gives the tensors and the leases back. What was sealed or published stays in the cache until its room is needed.</summary>
    public void Dispose()
    {
        _arena.Dispose();
        _leases.Dispose();
    }

    private void EndStep()
    {
        _pending = 0;
        Array.Clear(_written);
    }

    private void Begin(int count)
    {
        if (_pending == 0)
        {
            if (SequenceLength + count > _maxTokens)
                throw new InvalidOperationException($"{count} tokens after {SequenceLength} are more than {_maxTokens}.");
            if (!_leases.TryReserve(count, Follow))
                throw new InvalidOperationException($"Every block is in use: no room for {count} more tokens of {BatchSize} sequences.");
            _pending = count;
        }

        if (count != _pending)
            throw new InvalidOperationException($"The layer has {count} new tokens and the step {_pending}; a step ends with Append, or with Crop to give it up.");
    }

    // The step's tokens of a sequence, block by block: the row, the token in it, the first of the step's tokens and how many.
    private IEnumerable<(int Row, int Token, int First, int Count)> Pieces(int sequence)
    {
        int start = LengthOf(sequence);
        for (int done = 0; done < _pending;)
        {
            (int block, int token) = Math.DivRem(start + done, _layout.BlockSize);
            int count = Math.Min(_layout.BlockSize - token, _pending - done);
            yield return (_arena.RowOf(_held[sequence][block]), token, done, count);
            done += count;
        }
    }

    private static void Copy(Tensor blocks, Tensor rows, int row, int token, int sequence, int first, int count)
    {
        using Tensor block = blocks.select(0, row), target = block.narrow(1, token, count);
        using Tensor one = rows.select(0, sequence), source = one.narrow(1, first, count);
        target.copy_(source);
    }

    // Holds what the table has now; at once, as a slot that is held no more may come back as another block.
    private void Follow(int sequence)
    {
        BlockLease lease = _leases[sequence];
        int[] before = _held[sequence], now = lease.Table.Slots.ToArray();
        int same = before.AsSpan().CommonPrefixLength(now);
        for (int block = same; block < now.Length; block++)
            _arena.Hold(lease.Table, block, Math.Clamp(lease.TokenCount - block * _layout.BlockSize, 0, _layout.BlockSize));
        for (int block = same; block < before.Length; block++)
            _arena.Release(before[block]);
        _held[sequence] = now;
    }
}
