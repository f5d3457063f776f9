namespace KvTiers.Silo.OpenAi;

/// <summary>How a stream is sent.</summary>
internal sealed record StreamOptions
{
    /// <summary>Whether a last chunk carries the usage.</summary>
    public bool? IncludeUsage { get; init; }
}
