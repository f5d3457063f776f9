using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Records every step, and holds the steps up until it is opened.</summary>
internal sealed class StepLog : IDisposable
{
    private readonly ManualResetEventSlim _gate = new();
    private readonly SemaphoreSlim _reached = new(0);
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
        _gate.Wait();
    }

    /// <summary>Waits until a step is held up.</summary>
    public Task<bool> UntilHeld() => _reached.WaitAsync(TimeSpan.FromSeconds(60));

    public void Open() => _gate.Set();

    public void Dispose()
    {
        Open();
        _reached.Dispose();
    }
}
