namespace KvTiers.Silo.Fields;

/// <summary>What the server does with a field of a request.</summary>
internal enum FieldUse
{
    /// <summary>It does what the field says.</summary>
    Honoured,

    /// <summary>It takes any value and does nothing, which changes neither the answer nor who sees what.</summary>
    Ignored,

    /// <summary>It answers 400, unless the value asks for nothing.</summary>
    Refused,
}
