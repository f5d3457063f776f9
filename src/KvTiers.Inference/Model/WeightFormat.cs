namespace KvTiers.Inference.Model;

/// <summary>How the matrices of a model are held in memory. Norm weights and biases are always 32-bit floats.</summary>
public enum WeightFormat
{
    /// <summary>As the file stores them: F32 and F16 become 32-bit floats, BF16 stays BF16.</summary>
    AsStored,

    /// <summary>32-bit floats.</summary>
    F32,

    /// <summary>Bfloat16, rounded to nearest even where the file holds more.</summary>
    BF16,
}
