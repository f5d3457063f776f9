namespace KvTiers.Silo.Fields;

/// <summary>A route's mark that says which fields its body has.</summary>
/// <param name="table">Makes the table when it is first asked for: the start need not wait for it.</param>
internal sealed class RequestFields(Func<FieldTable> table)
{
    /// <summary>The fields.</summary>
    public FieldTable Table => table();
}
