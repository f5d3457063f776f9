namespace KvTiers.Silo.OpenAi;

/// <summary>A model, as <c>GET /v1/models</c> lists it.</summary>
/// <param name="Id">Its name: its folder's.</param>
/// <param name="Created">When its weights were written, in seconds since 1970.</param>
/// <param name="ContextLength">Extension: most tokens of prompt and answer together.</param>
/// <param name="Engine">Extension: what computes it, <c>kvtiers</c> or <c>torch</c>.</param>
internal sealed record ModelCard(string Id, long Created, int ContextLength, string Engine)
{
    /// <summary>Always <c>model</c>.</summary>
    public string Object => "model";

    /// <summary>Always <c>kvtiers</c>.</summary>
    public string OwnedBy => "kvtiers";
}
