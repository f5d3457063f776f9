namespace KvTiers.Inference.Scheduling;

/// <summary>Counts what one tenant has in the scheduler, and what it was given. Counts are compared between tenants that are there at the same time.</summary>
internal sealed class TenantShare
{
    /// <summary>Sequences in the queue.</summary>
    public int Waiting { get; set; }

    /// <summary>Sequences in work.</summary>
    public int Running { get; set; }

    /// <summary>Tokens admitted to be computed, and tokens decoded.</summary>
    public long Served { get; set; }

    /// <summary>Prompt tokens computed.</summary>
    public long Prefilled { get; set; }
}
