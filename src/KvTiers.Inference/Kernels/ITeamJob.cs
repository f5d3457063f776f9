namespace KvTiers.Inference.Kernels;

/// <summary>Work that a <see cref="ThreadTeam"/> shares out in chunks.</summary>
internal interface ITeamJob
{
    /// <summary>Does one chunk. Chunks run in any order, on any thread, each once.</summary>
    /// <param name="chunk">0 to the number of chunks − 1.</param>
    /// <param name="worker">The thread's number in its team, for scratch memory of its own.</param>
    void Run(int chunk, int worker);
}
