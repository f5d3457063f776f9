namespace KvTiers.Cluster.Tests;

/// <summary>
/// Lets a load keep pace with faults, however fast the machine is: the turns of a conversation are spread over them, so that they meet all kinds, and its
/// last one comes after the last fault.
/// </summary>
/// <param name="faults">How many there will be.</param>
internal sealed class FaultPace(int faults)
{
    private readonly TaskCompletionSource[] _over =
        [.. Enumerable.Range(0, faults).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];

    private int _count;

    /// <summary>One more is over.</summary>
    public void Next() => _over[_count++].SetResult();

    /// <summary>Ends when so many faults are over as a turn of so many is to come after.</summary>
    public Task TurnAsync(int turn, int turns)
    {
        int before = turn == turns - 1 ? faults : faults * turn / turns;
        return before == 0 ? Task.CompletedTask : _over[before - 1].Task;
    }
}
