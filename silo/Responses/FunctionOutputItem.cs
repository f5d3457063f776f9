namespace KvTiers.Silo.Responses;

/// <summary>A function's result as an item of an input.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CallId">The call that it is the result of.</param>
/// <param name="Output">The result.</param>
internal sealed record FunctionOutputItem(string Id, string CallId, string Output) : IItem
{
    /// <summary>Always <c>function_call_output</c>.</summary>
    public string Type => "function_call_output";

    /// <summary>Always <c>completed</c>.</summary>
    public string Status => "completed";
}
