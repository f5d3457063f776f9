using KvTiers.Prefix;

namespace KvTiers;

/// <summary>Blocks that were evicted together: out of the tree, found by nobody, and in their slots until the recipient has seen them all.</summary>
internal sealed class Eviction(TimeProvider time)
{
    private TaskCompletionSource? _done;

    /// <summary>In eviction order, which is also the order in which the slots become free.</summary>
    public List<EvictedBlock> Blocks { get; } = [];

    /// <summary>What those who want the blocks may hold up whoever makes the room.</summary>
    public StallBudget Budget { get; } = new(time);

    /// <summary>Free blocks that wait, together with these, for whoever makes the room.</summary>
    public int PromisedBlocks { get; set; }

    /// <summary>Whether these become anybody's, as when room is made ahead of need.</summary>
    public bool IsAhead { get; set; }

    /// <summary>Ends when the slots are free. To be asked for while the eviction is under way.</summary>
    public Task Done => (_done ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void End()
    {
        Blocks.Clear();
        PromisedBlocks = 0;
        IsAhead = false;
        _done?.SetResult();
        _done = null;
    }
}
