using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Brings the weights that a thread of a team reads first of the next matrix into its second-level cache, a few at a time while it waits.</summary>
internal unsafe struct WeightsAhead
{
    /// <summary>Bytes asked for at one time.</summary>
    public const int StepBytes = 512;

    /// <summary>Bytes asked for in all: more than memory delivers while a thread waits, and little of a second-level cache.</summary>
    public const int MostBytes = 128 << 10;

    private const int LineBytes = 64;
    private PackedMatrix? _matrix;
    private byte* _at;
    private byte* _end;

    /// <summary>Asks for some more. False when all have been asked for.</summary>
    /// <param name="next">The matrix that comes next, or null.</param>
    /// <param name="worker">The thread, 0 to <paramref name="threads"/> − 1.</param>
    /// <param name="threads">Threads of the team.</param>
    public bool TryBring(PackedMatrix? next, int worker, int threads)
    {
        if (next != _matrix)
            Begin(next, worker, threads);
        if (_at >= _end || !Sse.IsSupported)
            return false;
        for (int i = 0; i < StepBytes; i += LineBytes)
            Sse.Prefetch1(_at + i);
        _at += StepBytes;
        return true;
    }

    private void Begin(PackedMatrix? next, int worker, int threads)
    {
        _matrix = next;
        _at = _end = null;
        if (next is null)
            return;
        int first = ThreadTeam.FirstChunk(worker, threads, next.PanelCount);
        _at = next.Panel(first);
        _end = _at + Math.Min(MostBytes, (next.PanelCount - first) * next.PanelBytes);
    }
}
