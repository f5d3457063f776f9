namespace KvTiers.Inference.Scheduling;

/// <summary>Counts what one tenant has in the scheduler, and what it was given. What is compared between tenants that are there at the same time is divided by their weights.</summary>
internal sealed class TenantShare(double weight, double served, double prefilled, double computed)
{
    /// <summary>Sequences in the queue.</summary>
    public int Waiting { get; set; }

    /// <summary>Sequences in work.</summary>
    public int Running { get; set; }

    /// <summary>Tokens admitted to be computed, and tokens decoded, by its weight.</summary>
    public double Served { get; private set; } = served;

    /// <summary>Prompt tokens computed, by its weight.</summary>
    public double Prefilled { get; private set; } = prefilled;

    /// <summary>Tokens computed, those of prompts and decoded ones, by its weight.</summary>
    public double Computed { get; private set; } = computed;

    /// <summary>Counts tokens admitted or decoded.</summary>
    public void Serve(int tokens) => Served += tokens / weight;

    /// <summary>Counts prompt tokens computed.</summary>
    public void Prefill(int tokens) => Prefilled += tokens / weight;

    /// <summary>Counts tokens computed.</summary>
    public void Compute(int tokens) => Computed += tokens / weight;

    /// <summary>What it would have in work, by its weight, with so many more.</summary>
    public double Load(int more = 0) => (Running + more) / weight;
}
