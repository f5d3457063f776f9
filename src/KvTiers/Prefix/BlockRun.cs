namespace KvTiers.Prefix;

/// <summary>Consecutive blocks of one path: their token ids and their slots.</summary>
/// <remarks>
/// Tokens lie side by side, so that a prefix is compared at memory speed, and a million blocks are a few arrays. Runs that were split from
/// one another share their arrays: all runs of an array lie on one path, at places that differ as their depths do. So a run may grow in
/// place as soon as no other branch follows it.
/// </remarks>
internal struct BlockRun(int blockSize)
{
    private const int MinimumCapacity = 4;

    private readonly int _blockSize = blockSize;
    private int[] _tokens = [];
    private int[] _slots = [];
    private int _start;

    public int BlockCount { get; private set; }

    /// <summary>Tokens in the run: BlockCount × block size, or less in a run of one partial block.</summary>
    public int TokenCount { get; private set; }

    public readonly ReadOnlySpan<int> Tokens => _tokens.AsSpan(_start * _blockSize, TokenCount);

    public readonly ReadOnlySpan<int> FirstBlockTokens => _tokens.AsSpan(_start * _blockSize, Math.Min(TokenCount, _blockSize));

    public readonly ReadOnlySpan<int> Slots => _slots.AsSpan(_start, BlockCount);

    public readonly int LastSlot => _slots[_start + BlockCount - 1];

    public readonly bool IsPartial => TokenCount < BlockCount * _blockSize;

    /// <summary>Adds a block; a partial one only as the first. No other run may follow this one, but the one that the block is from.</summary>
    public void Append(ReadOnlySpan<int> tokens, int slot)
    {
        if (_start + BlockCount == _slots.Length) Reallocate(BlockCount == 0 ? 1 : Math.Max(MinimumCapacity, BlockCount * 2));
        tokens.CopyTo(_tokens.AsSpan((_start + BlockCount) * _blockSize));
        _slots[_start + BlockCount] = slot;
        BlockCount++;
        TokenCount += tokens.Length;
    }

    /// <summary>Drops the last block and gives its slot.</summary>
    public int RemoveLast()
    {
        int slot = LastSlot;
        BlockCount--;
        TokenCount = BlockCount * _blockSize;
        return slot;
    }

    /// <summary>Keeps what follows the first <paramref name="blockCount"/> blocks, and gives those as a run of their own.</summary>
    public BlockRun SplitFront(int blockCount)
    {
        BlockRun front = this;
        front.BlockCount = blockCount;
        front.TokenCount = blockCount * _blockSize;
        _start += blockCount;
        BlockCount -= blockCount;
        TokenCount -= front.TokenCount;
        return front;
    }

    /// <summary>Puts the blocks of <paramref name="front"/>, which lead here and nowhere else, before these; at no cost after a split.</summary>
    public void JoinFront(BlockRun front)
    {
        if (ReferenceEquals(front._tokens, _tokens) && front._start + front.BlockCount == _start)
        {
            front.BlockCount += BlockCount;
            front.TokenCount += TokenCount;
        }
        else
        {
            for (int i = 0; i < BlockCount; i++) front.Append(Tokens.Slice(i * _blockSize, _blockSize), Slots[i]);
        }

        this = front;
    }

    /// <summary>Gives memory back once the run uses less than a quarter of it.</summary>
    public void TrimExcess()
    {
        if (_slots.Length > MinimumCapacity && BlockCount < _slots.Length / 4) Reallocate(Math.Max(MinimumCapacity, BlockCount * 2));
    }

    private void Reallocate(int capacity)
    {
        int[] tokens = GC.AllocateUninitializedArray<int>(capacity * _blockSize);
        int[] slots = new int[capacity];
        Tokens.CopyTo(tokens);
        Slots.CopyTo(slots);
        _tokens = tokens;
        _slots = slots;
        _start = 0;
    }
}
