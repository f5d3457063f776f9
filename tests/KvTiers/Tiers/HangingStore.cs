using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store that does not answer, from when it is told to until it is well again: its calls hold their thread, or are promised.</summary>
internal sealed class HangingStore(IRecordStore inner, bool holdsThread) : WrappedStore(inner)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _well;
    private int _hung;

    /// <summary>Calls that have hung so far.</summary>
    public int Hung => Volatile.Read(ref _hung);

    public void Hang()
    {
        lock (_lock)
            _well ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Answers what hangs, and from now on at once.</summary>
    public void BeWell()
    {
        lock (_lock)
        {
            _well?.SetResult();
            _well = null;
        }
    }

    protected override Task? EnterAsync()
    {
        Task? well;
        lock (_lock)
            well = _well?.Task;
        if (well is null)
            return null;
        Interlocked.Increment(ref _hung);
        if (!holdsThread)
            return well;
        well.Wait();
        return null;
    }
}
