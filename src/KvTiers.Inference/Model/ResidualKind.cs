namespace KvTiers.Inference.Model;

/// <summary>What the feed-forward layer reads and where its result goes.</summary>
public enum ResidualKind
{
    /// <summary>It reads what attention was added to.</summary>
    Sequential,

    /// <summary>It reads what attention read, through a norm of its own; both are added together.</summary>
    Parallel,

    /// <summary>The same through attention's norm.</summary>
    ParallelSharedNorm,
}
