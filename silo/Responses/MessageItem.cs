namespace KvTiers.Silo.Responses;

/// <summary>A message as an item of an input or an output.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Status"><c>in_progress</c>, <c>completed</c> or <c>incomplete</c>.</param>
/// <param name="Role">Who speaks.</param>
/// <param name="Content">What is said.</param>
internal sealed record MessageItem(string Id, string Status, string Role, IReadOnlyList<object> Content) : IItem
{
    /// <summary>Always <c>message</c>.</summary>
    public string Type => "message";
}
