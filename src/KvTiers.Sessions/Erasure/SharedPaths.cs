using System.Runtime.InteropServices;
using KvTiers.Conversations;
using KvTiers.Prefix;

namespace KvTiers.Sessions.Erasure;

/// <summary>Knows which blocks the stored conversations go through, so that an edit or a deletion of one spares what another comes back to.</summary>
/// <remarks>
/// <para>Counts the conversations whose newest log holds a block: whole blocks, and the last, partial one at every length that it may have
/// been published at. An idle conversation holds no lease, and its blocks may be in a colder tier only, so nothing but its log tells of them.</para>
/// <para>64 bits stand for a block's hash: two blocks that agree in them would be spared, never lost. About 50 bytes for each block of each
/// conversation, and for <see cref="MaxBlocks"/> at most: what does not fit is not spared. Nor is what another process writes to the same
/// store, until its conversation is used here. Such blocks may be erased, and are computed again. Thread-safe.</para>
/// </remarks>
/// <param name="maxBlocks">Blocks counted at most.</param>
internal sealed class SharedPaths(int maxBlocks = SharedPaths.MaxBlocks)
{
    /// <summary>Some 200 MB, or 67 million tokens of conversations in blocks of 16.</summary>
    public const int MaxBlocks = 1 << 22;

    private readonly Lock _lock = new();
    private readonly Dictionary<ConversationKey, long[]> _paths = [];
    private readonly Dictionary<long, int> _counts = [];
    private long _entries;
    private HashSet<ConversationKey>? _setSinceStart = [];

    /// <summary>Ends when the conversations that were stored before are known.</summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    /// <summary>Learns of the conversations in a store, in the background.</summary>
    /// <param name="stored">Each conversation's log, as far as they can be read.</param>
    public void Begin(IAsyncEnumerable<(ConversationKey Key, BlockPath Path)> stored) => Ready = Task.Run(async () =>
    {
        try
        {
            await foreach ((ConversationKey key, BlockPath path) in stored.ConfigureAwait(false))
            {
                long[] entries = Entries(path);
                lock (_lock)
                {
                    // What was set since is newer than what was read.
                    if (!_setSinceStart!.Contains(key))
                        Replace(key, entries);
                }
            }
        }
        catch (Exception)
        {
            // Those that could not be read are known when they are used. An edit or a deletion must not fail for it.
        }
        finally
        {
            lock (_lock)
                _setSinceStart = null;
        }
    });

    /// <summary>A conversation goes through this path from now on, and through no other; an empty one when it is deleted.</summary>
    public void Set(ConversationKey key, BlockPath path)
    {
        long[] entries = Entries(path);
        lock (_lock)
        {
            _setSinceStart?.Add(key);
            Replace(key, entries);
        }
    }

    /// <summary>Whether a conversation goes through the block.</summary>
    public bool Contains(BlockHash block)
    {
        lock (_lock)
            return _counts.ContainsKey(EntryOf(block));
    }

    /// <summary>How many leading whole blocks of a path some conversation goes through.</summary>
    public int LeadingBlocks(BlockPath path)
    {
        int count = 0;
        while (count < path.BlockCount && Contains(path.HashAfter(count + 1)))
            count++;
        return count;
    }

    private void Replace(ConversationKey key, long[] entries)
    {
        if (_paths.Remove(key, out long[]? former))
        {
            foreach (long entry in former)
            {
                ref int count = ref CollectionsMarshal.GetValueRefOrNullRef(_counts, entry);
                if (--count == 0)
                    _counts.Remove(entry);
            }
        }

        _entries -= former?.Length ?? 0;
        if (entries.Length == 0 || _entries + entries.Length > maxBlocks)
            return;
        _entries += entries.Length;
        _paths[key] = entries;
        foreach (long entry in entries)
            CollectionsMarshal.GetValueRefOrAddDefault(_counts, entry, out _)++;
    }

    private static long[] Entries(BlockPath path)
    {
        int whole = path.BlockCount, tail = path.TokenCount % path.BlockSize;
        long[] entries = new long[whole + tail];
        for (int block = 0; block < whole; block++)
            entries[block] = EntryOf(path.HashAfter(block + 1));
        for (int length = 1; length <= tail; length++)
            entries[whole + length - 1] = EntryOf(path.HashOfPart(whole, length));
        return entries;
    }

    private static long EntryOf(BlockHash hash)
    {
        Span<byte> bytes = stackalloc byte[BlockHash.ByteCount];
        hash.CopyTo(bytes);
        return MemoryMarshal.Read<long>(bytes);
    }
}
