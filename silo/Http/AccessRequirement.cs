namespace KvTiers.Silo.Http;

/// <summary>A route's mark that says who may call it.</summary>
/// <param name="Level">Who.</param>
internal sealed record AccessRequirement(AccessLevel Level);
