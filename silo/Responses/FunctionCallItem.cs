namespace KvTiers.Silo.Responses;

/// <summary>A call of a function as an item of an input or an output.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Status"><c>in_progress</c>, <c>completed</c> or <c>incomplete</c>.</param>
/// <param name="CallId">Names the call; its result refers to it.</param>
/// <param name="Name">The function's name.</param>
/// <param name="Arguments">The arguments: the text of a JSON object.</param>
internal sealed record FunctionCallItem(string Id, string Status, string CallId, string Name, string Arguments) : IItem
{
    /// <summary>Always <c>function_call</c>.</summary>
    public string Type => "function_call";
}
