using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Records every step, and holds the steps up until it is opened.</summary>
internal sealed class StepLog : IDisposable
{
    // Long enough for any step; short enough for a test that failed while it held one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ManualResetEventSlim _gate = new();
    private readonly SemaphoreSlim _reached = new(0);
    private readonly SemaphoreSlim _passes = new(0);
    private readonly List<(int Start, int Rows)[]> _steps = [];

    /// <summary>Of each step: first position and rows of its segments.</summary>
    public IReadOnlyList<(int Start, int Rows)[]> Steps
    {
        get
        {
            lock (_steps)
                return [.. _steps];
        }
    }

    public int Rows => Steps.Sum(step => step.Sum(segment => segment.Rows));

    public void Record(StepBatch batch)
    {
        var step = new (int Start, int Rows)[batch.Segments.Length];
        for (int i = 0; i < step.Length; i++)
            step[i] = (batch.Segments[i].StartPosition, batch.Segments[i].RowCount);
        lock (_steps)
            _steps.Add(step);
        _reached.Release();
        WaitHandle.WaitAny([_gate.WaitHandle, _passes.AvailableWaitHandle], Patience);
        if (!_gate.IsSet)
            _passes.Wait(0);
    }

    /// <summary>Waits until a step is held up.</summary>
    public Task<bool> UntilHeld() => _reached.WaitAsync(Patience);

    /// <summary>Lets the step go on that is held up, and holds the next one up.</summary>
    public void Pass() => _passes.Release();

    public void Open() => _gate.Set();

    public void Dispose()
    {
        Open();
        _reached.Dispose();
        _passes.Dispose();
    }
}
