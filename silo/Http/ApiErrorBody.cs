namespace KvTiers.Silo.Http;

/// <summary>The body of an answer that is an error: <c>{"error": {…}}</c>.</summary>
internal sealed record ApiErrorBody(ApiError Error);
