using System.Buffers;

namespace KvTiers.Prefix;

/// <summary>A path through a namespace: its root, its tokens, and the hash of each of its blocks, worked out once and extended in place.</summary>
/// <remarks>
/// The one place where tokens become hashes. A hash is worked out when it is first asked for, from the last one known before it: the root's, or one that
/// the tree knew. One owner changes a path; while nobody does, many may read it.
/// </remarks>
public sealed class BlockPath
{
    private int[] _tokens = [];
    private BlockHash[] _hashes = [];
    private bool _tokensAreRented;
    private bool _hashesAreRented;

    // What is known: the hash after the first _anchorCount blocks, and that of each block from there up to _hashed.
    private BlockHash _anchor;
    private int _anchorCount;
    private volatile int _hashed;

    /// <summary>The path of these tokens.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="blockSize">Tokens of a block.</param>
    /// <param name="tokens">Token ids, none at first for a path that is to grow.</param>
    public BlockPath(BlockHash root, int blockSize, ReadOnlySpan<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        Root = _anchor = root;
        BlockSize = blockSize;
        _tokens = tokens.ToArray();
        TokenCount = tokens.Length;
    }

    /// <summary>The namespace.</summary>
    public BlockHash Root { get; }

    /// <summary>Tokens of a block.</summary>
    public int BlockSize { get; }

    /// <summary>Tokens of the path.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Whole blocks of the path; the last tokens may be part of one more.</summary>
    public int BlockCount => TokenCount / BlockSize;

    /// <summary>The token ids. Valid until the path changes.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, TokenCount);

    /// <summary>The hash that names the point after the first whole blocks; the root's for none.</summary>
    internal BlockHash HashAfter(int blockCount)
    {
        if (blockCount == 0)
            return Root;
        if (blockCount == _anchorCount)
            return _anchor;
        EnsureHashed(blockCount - 1, blockCount);
        return _hashes[blockCount - 1];
    }

    /// <summary>The hashes of whole blocks, from block number <paramref name="first"/> up to, not including, <paramref name="end"/>.</summary>
    public ReadOnlyMemory<BlockHash> Hashes(int first, int end)
    {
        if (first == end)
            return default;
        EnsureHashed(first, end);
        return _hashes.AsMemory(first, end - first);
    }

    /// <summary>The hash of the first tokens of a block, as many as <paramref name="tokenCount"/>: what a partial last block is published under.</summary>
    internal BlockHash HashOfPart(int block, int tokenCount) => HashAfter(block).Next(_tokens.AsSpan(block * BlockSize, tokenCount));

    /// <summary>
    /// The hashes of every block from one on, the last, partial one too, and of every length that each may have been published at while it was the last.
    /// </summary>
    internal IEnumerable<BlockHash> HashesWithParts(int firstBlock)
    {
        for (int block = firstBlock; block * BlockSize < TokenCount; block++)
        {
            int length = Math.Min(BlockSize, TokenCount - (block * BlockSize));
            for (int part = 1; part < length; part++)
                yield return HashOfPart(block, part);
            yield return length == BlockSize ? HashAfter(block + 1) : HashOfPart(block, length);
        }
    }

    /// <summary>Adds tokens at the end.</summary>
    public void Append(ReadOnlySpan<int> tokens)
    {
        EnsureCapacity(TokenCount + tokens.Length);
        tokens.CopyTo(_tokens.AsSpan(TokenCount));
        TokenCount += tokens.Length;
    }

    /// <summary>Becomes the path of these tokens, and keeps the hashes of the blocks that they begin with as it did.</summary>
    internal void Follow(ReadOnlySpan<int> tokens)
    {
        int common = tokens.CommonPrefixLength(Tokens);
        Truncate(common);
        Append(tokens[common..]);
    }

    /// <summary>Keeps the first tokens.</summary>
    public void Truncate(int tokenCount)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)tokenCount, (uint)TokenCount, nameof(tokenCount));
        TokenCount = tokenCount;
        if (BlockCount < _anchorCount)
            (_anchor, _anchorCount) = (Root, _hashed = 0);
        _hashed = Math.Min(_hashed, BlockCount);
    }

    /// <summary>Makes room, so that appending up to so many tokens allocates nothing.</summary>
    internal void EnsureCapacity(int tokenCount)
    {
        if (tokenCount <= _tokens.Length)
            return;

        // Long prompts would fill the large object heap otherwise, turn by turn.
        int[] tokens = ArrayPool<int>.Shared.Rent(Math.Max(tokenCount, (int)Math.Min((long)_tokens.Length * 2, Array.MaxLength)));
        Tokens.CopyTo(tokens);
        ReturnTokens();
        (_tokens, _tokensAreRented) = (tokens, true);
    }

    /// <summary>Forgets the tokens, and gives the memory back. Nobody else may be reading.</summary>
    internal void Clear()
    {
        Truncate(0);
        ReturnTokens();
        ReturnHashes();
        (_tokens, _hashes, _tokensAreRented, _hashesAreRented) = ([], [], false, false);
    }

    /// <summary>Takes over the hash after the first blocks that somebody else knows, and works out what follows from there.</summary>
    internal void Anchor(int blockCount, BlockHash hash)
    {
        if (blockCount > _hashed)
            (_anchor, _anchorCount) = (hash, _hashed = blockCount);
    }

    private void EnsureHashed(int first, int end)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)end, (uint)BlockCount, nameof(end));
        if (first < _anchorCount)
            (_anchor, _anchorCount) = (Root, _hashed = 0);
        if (end <= _hashed)
            return;
        EnsureHashCapacity();
        BlockHash parent = _hashed == _anchorCount ? _anchor : _hashes[_hashed - 1];
        for (int block = _hashed; block < end; block++)
        {
            _hashes[block] = parent = parent.Next(_tokens.AsSpan(block * BlockSize, BlockSize));
            _hashed = block + 1;
        }
    }

    private void EnsureHashCapacity()
    {
        int needed = (_tokens.Length / BlockSize) + 1;
        if (needed <= _hashes.Length)
            return;
        BlockHash[] hashes = _tokensAreRented ? ArrayPool<BlockHash>.Shared.Rent(needed) : new BlockHash[needed];
        _hashes.AsSpan(0, Math.Min(_hashed, _hashes.Length)).CopyTo(hashes);
        ReturnHashes();
        (_hashes, _hashesAreRented) = (hashes, _tokensAreRented);
    }

    private void ReturnTokens()
    {
        if (_tokensAreRented)
            ArrayPool<int>.Shared.Return(_tokens);
    }

    private void ReturnHashes()
    {
        if (_hashesAreRented)
            ArrayPool<BlockHash>.Shared.Return(_hashes);
    }
}
