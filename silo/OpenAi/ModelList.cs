namespace KvTiers.Silo.OpenAi;

/// <summary>Answer of <c>GET /v1/models</c>.</summary>
/// <param name="Data">The models.</param>
internal sealed record ModelList(IReadOnlyList<ModelCard> Data)
{
    /// <summary>Always <c>list</c>.</summary>
    public string Object => "list";
}
