namespace KvTiers.Silo.Responses;

/// <summary>Why a response is incomplete.</summary>
/// <param name="Reason"><c>max_output_tokens</c>: so many were generated, or the context was full.</param>
internal sealed record IncompleteDetails(string Reason);
