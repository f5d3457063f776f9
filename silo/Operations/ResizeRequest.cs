namespace KvTiers.Silo.Operations;

/// <summary>Body of <c>POST /admin/tiers/{tier}/resize</c>.</summary>
internal sealed record ResizeRequest
{
    /// <summary>The wanted capacity, such as <c>512MiB</c>.</summary>
    public required string Capacity { get; init; }
}
