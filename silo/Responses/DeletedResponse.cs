namespace KvTiers.Silo.Responses;

/// <summary>Answer of <c>DELETE /v1/responses/{id}</c>.</summary>
/// <param name="Id">Its id.</param>
internal sealed record DeletedResponse(string Id)
{
    /// <summary>Always <c>response</c>.</summary>
    public string Object => "response";

    /// <summary>Always true.</summary>
    public bool Deleted => true;
}
