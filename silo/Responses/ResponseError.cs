namespace KvTiers.Silo.Responses;

/// <summary>Why a response failed.</summary>
/// <param name="Code">A name for the case.</param>
/// <param name="Message">What went wrong, for a person.</param>
internal sealed record ResponseError(string Code, string Message);
