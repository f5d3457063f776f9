namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>Types of JSON values. A number that is whole is of <see cref="Integer"/>, any other of <see cref="Fraction"/>.</summary>
[Flags]
internal enum SchemaType
{
    /// <summary>Of no type.</summary>
    None = 0,

    /// <summary>null.</summary>
    Null = 1,

    /// <summary>true or false.</summary>
    Boolean = 2,

    /// <summary>A whole number.</summary>
    Integer = 4,

    /// <summary>A number that is not whole.</summary>
    Fraction = 8,

    /// <summary>Any number.</summary>
    Number = Integer | Fraction,

    /// <summary>A string.</summary>
    String = 16,

    /// <summary>An array.</summary>
    Array = 32,

    /// <summary>An object.</summary>
    Object = 64,

    /// <summary>Any type.</summary>
    Any = Null | Boolean | Number | String | Array | Object,
}
