using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp;

/// <summary>The keys and values of a batch of sequences, for a model written in TorchSharp: as tensors that grow in place, over blocks that are shared, tiered and kept.</summary>
/// <remarks>
/// <para>A step: the model calls <see cref="Update"/> once a layer with K and V of its new tokens and attends to what it returns; then <see cref="Append"/> names the
/// tokens, and their rows go into blocks, which are sealed and shared as they become full. Nothing is concatenated: only the new rows are written.</para>
/// <para>One owner uses it at a time, as with a lease. It owns its tensors and leases, and not the tiers.</para>
/// </remarks>
public sealed partial class TorchKvCache : IDisposable
{
    private readonly TorchKvCacheOptions _options;
    private readonly SequenceLeases _leases;
    private readonly KvWindows _windows;
    private readonly BlockLayout _layout;
    private readonly bool[] _updated;
    private int _pending;

    private TorchKvCache(SequenceLeases leases, KvWindows windows, TorchKvCacheOptions options)
    {
        _leases = leases;
        _windows = windows;
        _options = options;
        _layout = leases.Layout;
        _updated = new bool[_layout.Layers];
    }

    /// <summary>Sequences.</summary>
    public int BatchSize => _leases.Count;

    /// <summary>Transformer layers.</summary>
    public int Layers => _layout.Layers;

    /// <summary>Tokens of the longest sequence whose K and V are held: those found, and those appended. The next token's position, where all are equally long.</summary>
    public int SequenceLength => _leases.Longest;

    /// <summary>What was moved so far.</summary>
    public TorchKvTotals Totals => new()
    {
        UpdatedBytes = _windows.UpdatedBytes,
        StoredBytes = _windows.StoredBytes,
        LoadedBytes = _windows.LoadedBytes,
        ReorderedBytes = _windows.ReorderedBytes,
        GrownBytes = _windows.GrownBytes,
        Allocations = _windows.Allocations,
    };

    /// <summary>Past keys and values of a layer: [batch, kvHeads, SequenceLength, headDim] each. Views of the cache's own memory, which the caller disposes.</summary>
    public (Tensor Key, Tensor Value) this[int layer] => _windows.View(layer, 0, SequenceLength);

    /// <summary>Takes what any tier holds of one prompt.</summary>
    /// <inheritdoc cref="AcquireAsync(TieredCache, BlockHash, IReadOnlyList{ReadOnlyMemory{int}}, TorchKvCacheOptions, CancellationToken)"/>
    public static Task<TorchKvCache> AcquireAsync(
        TieredCache tiers, BlockHash root, ReadOnlyMemory<int> prompt, TorchKvCacheOptions options, CancellationToken cancellationToken = default) =>
        AcquireAsync(tiers, root, [prompt], options, cancellationToken);

    /// <summary>Takes what any tier holds of some prompts, the rows of a batch. Their last tokens are never part of it: the cache holds K and V, not logits.</summary>
    /// <param name="tiers">Where blocks are kept. Its layout is the model's: layers, KV heads, elements of a head.</param>
    /// <param name="root">The namespace, <see cref="TieredCache.RootFor"/> of the model's fingerprint.</param>
    /// <param name="prompts">Token ids, at least one each. How much was found of each, <see cref="LengthOf"/> tells; the rest is to be computed.</param>
    /// <param name="options">Where the tensors are, and of which form.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <exception cref="ArgumentException">There is no prompt, one is empty or longer than the options allow, or an option is out of range.</exception>
    public static async Task<TorchKvCache> AcquireAsync(
        TieredCache tiers, BlockHash root, IReadOnlyList<ReadOnlyMemory<int>> prompts, TorchKvCacheOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tiers);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(options);
        BlockLayout layout = SequenceLeases.LayoutOf(tiers);
        options.Validate(layout);
        foreach (ReadOnlyMemory<int> prompt in prompts)
        {
            if (prompt.Length > options.MaxTokens)
                throw new ArgumentException($"A prompt has {prompt.Length} tokens; {nameof(options.MaxTokens)} is {options.MaxTokens}.", nameof(prompts));
        }

        SequenceLeases leases = await SequenceLeases.AcquireAsync(tiers, root, prompts, cancellationToken).ConfigureAwait(false);
        KvWindows? windows = null;
        try
        {
            windows = new KvWindows(layout, options, leases.Count, prompts.Max(prompt => prompt.Length));
            for (int sequence = 0; sequence < leases.Count; sequence++)
                windows.Load(sequence, leases[sequence].Table, 0, leases[sequence].TokenCount);
            return new TorchKvCache(leases, windows, options);
        }
        catch
        {
            windows?.Dispose();
            leases.Dispose();
            throw;
        }
    }

    /// <summary>Tokens of one sequence whose K and V are held.</summary>
    public int LengthOf(int sequence) => _leases.LengthOf(sequence);

    /// <summary>The ids of those tokens. Valid until the sequence changes.</summary>
    public ReadOnlySpan<int> TokensOf(int sequence)
    {
        Store(sequence);
        return _leases[sequence].Tokens;
    }

    /// <summary>The blocks of one sequence, shared ones first. They are read where they are.</summary>
    public BlockTable TableOf(int sequence)
    {
        Store(sequence);
        return _leases[sequence].Table;
    }

    /// <summary>Writes one layer's K and V of the newest tokens, and gives back what attention needs.</summary>
    /// <remarks>
    /// Every layer of a step gets the same number of new tokens, as often as it likes: written again, they are replaced. Keys are written as attention uses them,
    /// after rotary positions. Where blocks hold fewer bits than the tensors, the rows are rounded first: what is attended to is what is kept.
    /// </remarks>
    /// <param name="key">[batch, kvHeads, new, headDim], of any floating type, on the cache's device. Need not be contiguous.</param>
    /// <param name="value">The same.</param>
    /// <param name="layer">0 to <see cref="Layers"/> − 1.</param>
    /// <returns>
    /// K and V, [batch, kvHeads, columns, headDim] each: columns <see cref="FirstPosition"/> to <see cref="SequenceLength"/> + new, or all rows of the static form.
    /// Views of the cache's own memory: head by head contiguous, valid until the next step, disposed by the caller or its scope.
    /// </returns>
    /// <exception cref="ArgumentException">A shape is another.</exception>
    /// <exception cref="InvalidOperationException">The number of new tokens is not that of the step's other layers, or they do not fit in the options' room.</exception>
    public (Tensor Key, Tensor Value) Update(Tensor key, Tensor value, int layer)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)Layers, nameof(layer));
        Check(key, nameof(key));
        Check(value, nameof(value));
        int count = (int)key.size(2), longest = _leases.Longest;
        if (value.size(2) != count)
            throw new ArgumentException($"K has {count} new tokens and V has {value.size(2)}.", nameof(value));
        Begin(count, longest);
        _updated[layer] = true;
        if (_leases.Shortest == longest)
        {
            _windows.Write(layer, key, value, longest, sequence: null);
        }
        else
        {
            for (int sequence = 0; sequence < BatchSize; sequence++)
                _windows.Write(layer, key, value, LengthOf(sequence), sequence);
        }

        return _options.IsStatic ? _windows.View(layer, 0, _windows.Capacity) : _windows.View(layer, FirstPosition(layer), longest + count);
    }

    /// <summary>Names the tokens whose K and V every layer has been given. The rows of full blocks go there, and the blocks are sealed, shared and handed to the tiers.</summary>
    /// <remarks>
    /// The rows of an unfull last block go there when it is full, or when it is to be seen by others: by a publication, a fork, a reordering or an edit. One token's
    /// keys are spread over a whole block: token by token, each of its cache lines would be touched as often as it has tokens.
    /// </remarks>
    /// <param name="tokens">[batch, new], row by row.</param>
    /// <exception cref="ArgumentException">Their number is not that of the step.</exception>
    /// <exception cref="InvalidOperationException">
    /// A layer was not updated; or every block is in use. Nothing is appended, and the step can be appended again when blocks are free.
    /// </exception>
    public void Append(ReadOnlySpan<int> tokens)
    {
        if (_pending == 0 || tokens.Length != BatchSize * _pending)
            throw new ArgumentException($"{tokens.Length} tokens are named; the step has {_pending} new ones of each of {BatchSize} sequences.", nameof(tokens));
        if (Array.IndexOf(_updated, false) is >= 0 and int missing)
            throw new InvalidOperationException($"Layer {missing} was not updated in this step: its rows would be those of nobody, and others would find them.");
        if (!_leases.TryReserve(_pending))
            throw new InvalidOperationException($"Every block is in use: no room for {_pending} more tokens of {BatchSize} sequences.");
        for (int sequence = 0; sequence < BatchSize; sequence++)
        {
            _leases.Name(sequence, tokens.Slice(sequence * _pending, _pending));
            Store(sequence, LengthOf(sequence) / _layout.BlockSize * _layout.BlockSize);
        }

        EndStep();
    }

    /// <summary>Makes the last, unfull blocks findable too, as at the end of a turn.</summary>
    public void Publish()
    {
        Store();
        _leases.Publish();
    }

    /// <summary>Gives the tensors and the leases back. What was sealed or published stays in the cache until its room is needed.</summary>
    public void Dispose()
    {
        EndStep();
        _windows.Dispose();
        _leases.Dispose();
    }

    private void Store()
    {
        for (int sequence = 0; sequence < BatchSize; sequence++)
            Store(sequence);
    }

    private void Store(int sequence) => Store(sequence, LengthOf(sequence));

    // Rows of named tokens go into blocks, up to a position.
    private void Store(int sequence, int end)
    {
        BlockLease lease = _leases[sequence];
        int first = lease.TokenCount;
        if (end <= first)
            return;
        _windows.Store(sequence, lease.Table, first, end);
        _leases.AppendNamed(sequence, end - first);
    }

    private void Begin(int count, int longest)
    {
        if (_pending == 0)
        {
            if (longest + count > _options.MaxTokens)
                throw new InvalidOperationException($"{count} tokens after {longest} are more than {nameof(_options.MaxTokens)}, {_options.MaxTokens}.");
            _windows.Reserve(longest + count, longest);
            _pending = count;
        }

        if (count != _pending)
            throw new InvalidOperationException($"The layer has {count} new tokens and the step {_pending}; a step ends with Append, or with Crop to give it up.");
    }

    private void Check(Tensor rows, string name)
    {
        if (rows.dim() != 4 || rows.size(0) != BatchSize || rows.size(1) != _layout.KvHeads || rows.size(2) < 1 || rows.size(3) != _layout.HeadDim)
        {
            throw new ArgumentException(
                $"The shape is [{string.Join(", ", rows.shape)}]; it must be [{BatchSize}, {_layout.KvHeads}, new tokens, {_layout.HeadDim}].", name);
        }
    }
}
