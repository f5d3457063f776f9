namespace KvTiers.Silo.Responses;

/// <summary>An item of an input or an output.</summary>
internal interface IItem
{
    /// <summary>Its id.</summary>
    string Id { get; }
}
