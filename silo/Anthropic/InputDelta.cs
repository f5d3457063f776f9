namespace KvTiers.Silo.Anthropic;

/// <summary>What is added to the arguments of a call.</summary>
/// <param name="PartialJson">A piece of the JSON object's text.</param>
internal sealed record InputDelta(string PartialJson)
{
    /// <summary>Always <c>input_json_delta</c>.</summary>
    public string Type => "input_json_delta";
}
