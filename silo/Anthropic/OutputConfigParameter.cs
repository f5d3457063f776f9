namespace KvTiers.Silo.Anthropic;

/// <summary>How an answer is written.</summary>
internal sealed record OutputConfigParameter
{
    /// <summary>Its format; absent = text.</summary>
    public OutputFormatParameter? Format { get; init; }
}
