namespace KvTiers.Inference.Model;

/// <summary>How the matrices of a model are held in memory. Norm weights, biases and the routers of experts are always 32-bit floats.</summary>
public enum WeightFormat
{
    /// <summary>
    /// As the file stores them: F32 and F16 become 32-bit floats, BF16 stays BF16, and the integers of GGUF files stay what they are or become those of the
    /// nearest format that there is (<c>docs/weights.md</c> says which).
    /// </summary>
    AsStored,

    /// <summary>32-bit floats.</summary>
    F32,

    /// <summary>Bfloat16, rounded to nearest even where the file holds more.</summary>
    BF16,

    /// <summary>
    /// 8-bit integers with a scale per output and per 64 inputs; inputs are rounded to 16 bits row by row. Every matrix, the embedding
    /// and the output matrix included. Quarter the memory of F32 and half that of BF16, and so decodes faster; answers are nearly those of BF16, not the same.
    /// </summary>
    Int8,

    /// <summary>
    /// 4-bit integers with a scale per output and per 32 inputs, else as <see cref="Int8"/>: 4.5 bits a weight, a little more than half of Int8. Decodes fastest;
    /// answers differ from those of BF16 more than Int8's do.
    /// </summary>
    Int4,
}
