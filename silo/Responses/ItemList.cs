using System.Text.Json.Serialization;

namespace KvTiers.Silo.Responses;

/// <summary>Answer of <c>GET /v1/responses/{id}/input_items</c>.</summary>
/// <param name="Data">The items.</param>
/// <param name="FirstId">Id of the first; null = there is none.</param>
/// <param name="LastId">Id of the last; null = there is none.</param>
/// <param name="HasMore">Whether there are more after the last.</param>
internal sealed record ItemList(
    IReadOnlyList<object> Data,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FirstId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LastId,
    bool HasMore)
{
    /// <summary>Always <c>list</c>.</summary>
    public string Object => "list";
}
