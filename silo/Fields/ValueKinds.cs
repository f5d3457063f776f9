namespace KvTiers.Silo.Fields;

/// <summary>Kinds of JSON values. null is none of them: it is the same as no value.</summary>
[Flags]
internal enum ValueKinds
{
    /// <summary>A string.</summary>
    Text = 1,

    /// <summary>A number without a fraction, of 64 bits.</summary>
    Integer = 2,

    /// <summary>Any number.</summary>
    Number = 4,

    /// <summary>true or false.</summary>
    Boolean = 8,

    /// <summary>A list.</summary>
    List = 16,

    /// <summary>An object.</summary>
    Object = 32,

    /// <summary>All of them.</summary>
    Any = Text | Integer | Number | Boolean | List | Object,
}
