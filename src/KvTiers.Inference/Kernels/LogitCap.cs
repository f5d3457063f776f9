namespace KvTiers.Inference.Kernels;

/// <summary>Logits become cap · tanh(logit / cap), in place.</summary>
internal sealed unsafe class LogitCap(ThreadTeam team, KernelPath path, float cap) : ITeamJob
{
    private const int LogitsPerChunk = 4_096;
    private float* _logits;
    private long _count;

    /// <summary>Caps them.</summary>
    /// <param name="logits">[count].</param>
    /// <param name="count">Logits.</param>
    public void Run(float* logits, long count)
    {
        _logits = logits;
        _count = count;
        team.Run(this, (int)((count + LogitsPerChunk - 1) / LogitsPerChunk));
    }

    void ITeamJob.Run(int chunk, int worker)
    {
        float* logits = _logits + (long)chunk * LogitsPerChunk;
        int count = (int)Math.Min(LogitsPerChunk, _count - (long)chunk * LogitsPerChunk);
        switch (path)
        {
            case KernelPath.Avx512:
                Cap<Lanes512>(logits, count);
                break;
            case KernelPath.Avx2:
                Cap<Lanes256>(logits, count);
                break;
            default:
                Cap<LanesPlain>(logits, count);
                break;
        }
    }

    private void Cap<TLanes>(float* logits, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        int whole = count & -16;
        for (int i = 0; i < whole; i += 16)
            TLanes.Store(Activation.SoftCap(TLanes.Load(logits + i), cap), logits + i);
        if (whole < count)
            LaneTail.Store(Activation.SoftCap(LaneTail.Load<TLanes>(logits + whole, count - whole), cap), logits + whole, count - whole);
    }
}
