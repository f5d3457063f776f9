using KvTiers.Silo.Models;

namespace KvTiers.Silo.OpenAi;

/// <summary>What all pieces of one answer have in common.</summary>
/// <param name="Id">The answer's id.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Model">Name of the model.</param>
/// <param name="SystemFingerprint">Changes when the model or its arithmetic changes.</param>
internal sealed record AnswerHead(string Id, long Created, string Model, string SystemFingerprint)
{
    /// <summary>For a new answer.</summary>
    /// <param name="prefix">Begins the id: <c>chatcmpl</c>, <c>cmpl</c>.</param>
    /// <param name="model">The model that answers.</param>
    /// <param name="time">Tells the time.</param>
    public static AnswerHead New(string prefix, LoadedModel model, TimeProvider time) =>
        new($"{prefix}-{Guid.NewGuid():N}", time.GetUtcNow().ToUnixTimeSeconds(), model.Name, model.SystemFingerprint);
}
