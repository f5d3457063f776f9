namespace KvTiers.TorchSharp;

public sealed partial class TorchKvCache
{
    /// <summary>Forgets all tokens from one on, of every sequence that has as many, and what a step has written that was not appended.</summary>
    /// <remarks>Blocks that were sealed stay findable, as what is taken back may come again; an edit (<see cref="EditAsync"/>) supersedes them.</remarks>
    /// <param name="length">Tokens that stay; below zero, so many fewer than the longest has.</param>
    /// <exception cref="ArgumentOutOfRangeException">More tokens are to be taken away than there are.</exception>
    public void Crop(int length)
    {
        int kept = length < 0 ? _leases.Longest + length : length;
        ArgumentOutOfRangeException.ThrowIfNegative(kept, nameof(length));
        EndStep();
        Store();
        _leases.Crop(kept);
    }

    /// <summary>Puts sequence <c>from[i]</c> in place i, as a beam search does after each step.</summary>
    /// <remarks>
    /// Blocks are shared, and only the unfull last one of a sequence that goes on twice is copied. Of the tensors, the rows after the tokens that all have in common
    /// are moved: a step of beams costs what they differ in, and not their length.
    /// </remarks>
    /// <param name="from">[batch], each 0 to batch − 1; the same one as often as wanted.</param>
    /// <exception cref="ArgumentException">The length or an index is out of range.</exception>
    /// <exception cref="InvalidOperationException">A step is not appended, or too few blocks are free; nothing has changed.</exception>
    public void Reorder(ReadOnlySpan<int> from)
    {
        RequireNoStep();
        if (from.Length != BatchSize)
            throw new ArgumentException($"{from.Length} places are named; the batch has {BatchSize}.", nameof(from));
        int common = int.MaxValue;
        for (int i = 0; i < from.Length; i++)
        {
            if ((uint)from[i] >= (uint)BatchSize)
                throw new ArgumentException($"There is no sequence {from[i]}; the batch has {BatchSize}.", nameof(from));
            if (from[i] != i)
                common = Math.Min(common, TokensOf(i).CommonPrefixLength(TokensOf(from[i])));
        }

        if (common == int.MaxValue)
            return;
        int longest = _leases.Longest;
        _leases.Rearrange(from);
        _windows.Reorder(from, common, longest);
    }

    /// <summary>Makes every sequence <paramref name="count"/> of them, next to each other: how a prompt that was computed once becomes beams or samples.</summary>
    /// <param name="count">1 or more.</param>
    /// <exception cref="InvalidOperationException">A step is not appended, or too few blocks are free; nothing has changed.</exception>
    public void Repeat(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        RequireNoStep();
        if (count == 1)
            return;
        int[] from = new int[BatchSize * count];
        for (int i = 0; i < from.Length; i++)
            from[i] = i / count;
        _leases.Rearrange(from);
        _windows.Repeat(count, _leases.Longest);
    }

    /// <summary>The same sequences once more, to go on otherwise: with blocks that are shared, and tensors of their own.</summary>
    /// <exception cref="InvalidOperationException">A step is not appended, or too few blocks are free.</exception>
    public TorchKvCache Fork()
    {
        RequireNoStep();
        SequenceLeases leases = _leases.Fork();
        try
        {
            return new TorchKvCache(leases, _windows.Copy(_leases.Longest), _options);
        }
        catch
        {
            leases.Dispose();
            throw;
        }
    }

    /// <summary>Gives a sequence another course: it keeps what it has up to the first differing token, and takes what any tier holds of what follows.</summary>
    /// <remarks>What the edit cut off is superseded in every tier: first to be evicted, and found again where the edit is undone before.</remarks>
    /// <param name="sequence">The sequence.</param>
    /// <param name="tokens">All its tokens from now on, at least one; the last one is to be computed.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <returns>Leading tokens whose K and V are held: those from there on are to be computed.</returns>
    /// <exception cref="ArgumentException">There is no token, or there are more than the options allow.</exception>
    /// <exception cref="InvalidOperationException">A step is not appended.</exception>
    public async Task<int> EditAsync(int sequence, ReadOnlyMemory<int> tokens, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)sequence, (uint)BatchSize, nameof(sequence));
        RequireNoStep();
        if (tokens.Length > _options.MaxTokens)
            throw new ArgumentException($"There are {tokens.Length} tokens; {nameof(_options.MaxTokens)} is {_options.MaxTokens}.", nameof(tokens));
        int longest = _leases.Longest;
        int kept = await _leases.EditAsync(sequence, tokens, cancellationToken).ConfigureAwait(false);
        _windows.Reserve(LengthOf(sequence), longest);
        _windows.Load(sequence, TableOf(sequence), Math.Min(kept, LengthOf(sequence)), LengthOf(sequence));
        return LengthOf(sequence);
    }

    // Between two steps, with every row in its block.
    private void RequireNoStep()
    {
        if (_pending != 0)
            throw new InvalidOperationException("A step is written and not appended: it ends with Append, or with Crop to give it up.");
        Store();
    }
}
