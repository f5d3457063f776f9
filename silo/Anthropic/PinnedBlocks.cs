using KvTiers.Prefix;

namespace KvTiers.Silo.Anthropic;

/// <summary>Counts the blocks of pinned prefixes, each once, however many prefixes it is in.</summary>
/// <remarks>
/// The prefixes of a namespace are a tree of blocks, found by their hashes. Invariant: a block is in it exactly while its uses, which are the
/// prefixes that end with it and the blocks that follow it, are at least 1. Not thread-safe.
/// </remarks>
internal sealed class PinnedBlocks
{
    private readonly Dictionary<BlockHash, (BlockHash Before, int Uses)> _blocks = [];
    private readonly Dictionary<BlockHash, int> _counts = [];

    /// <summary>Blocks of all prefixes.</summary>
    public int Count => _blocks.Count;

    /// <summary>Blocks of the prefixes of one namespace.</summary>
    public int CountOf(BlockHash root) => _counts.GetValueOrDefault(root);

    /// <summary>How many blocks of a prefix are not counted yet.</summary>
    public int CountNew(ReadOnlySpan<BlockHash> prefix)
    {
        int known = prefix.Length;
        while (known > 0 && !_blocks.ContainsKey(prefix[known - 1])) known--;
        return prefix.Length - known;
    }

    /// <summary>Adds a prefix of at least one block.</summary>
    public void Add(BlockHash root, ReadOnlySpan<BlockHash> prefix)
    {
        for (int i = prefix.Length - 1; i >= 0; i--)
        {
            BlockHash before = i == 0 ? root : prefix[i - 1];
            bool isKnown = _blocks.TryGetValue(prefix[i], out (BlockHash Before, int Uses) block);
            _blocks[prefix[i]] = (before, block.Uses + 1);
            if (isKnown) return;
            _counts[root] = CountOf(root) + 1;
        }
    }

    /// <summary>Takes away a prefix that was added.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="last">Its last block.</param>
    public void Remove(BlockHash root, BlockHash last)
    {
        for (BlockHash hash = last; hash != root;)
        {
            (BlockHash before, int uses) = _blocks[hash];
            if (uses > 1)
            {
                _blocks[hash] = (before, uses - 1);
                return;
            }

            _blocks.Remove(hash);
            int left = CountOf(root) - 1;
            if (left == 0) _counts.Remove(root);
            else _counts[root] = left;
            hash = before;
        }
    }
}
