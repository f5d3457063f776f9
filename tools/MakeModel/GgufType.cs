namespace KvTiers.MakeModel;

/// <summary>Element types of GGUF files that are written here, with their numbers there.</summary>
public enum GgufType
{
    /// <summary>32-bit floats.</summary>
    F32 = 0,

    /// <summary>16-bit floats.</summary>
    F16 = 1,

    /// <summary>4 bits around zero, a scale per 32.</summary>
    Q4_0 = 2,

    /// <summary>4 bits from a least value, both per 32.</summary>
    Q4_1 = 3,

    /// <summary>5 bits around zero, a scale per 32.</summary>
    Q5_0 = 6,

    /// <summary>5 bits from a least value, both per 32.</summary>
    Q5_1 = 7,

    /// <summary>8 bits, a scale per 32.</summary>
    Q8_0 = 8,

    /// <summary>4 bits from a least value per 32, in blocks of 256.</summary>
    Q4_K = 12,

    /// <summary>5 bits from a least value per 32, in blocks of 256.</summary>
    Q5_K = 13,

    /// <summary>6 bits, a scale per 16, in blocks of 256.</summary>
    Q6_K = 14,

    /// <summary>Bfloat16.</summary>
    BF16 = 30,
}
