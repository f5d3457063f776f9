namespace KvTiers.Inference.Kernels;

/// <summary>The weights of one output in groups of 32 inputs, as a file stores them: weight k is scale · integer + least, of k's group.</summary>
/// <param name="inputs">Weights.</param>
internal sealed class GroupedWeights(int inputs)
{
    /// <summary>Weights that share a scale.</summary>
    public const int GroupInputs = 32;

    /// <summary>[inputs].</summary>
    public sbyte[] Integers { get; } = new sbyte[inputs];

    /// <summary>[groups], finite.</summary>
    public Half[] Scales { get; } = new Half[(inputs + GroupInputs - 1) / GroupInputs];

    /// <summary>[groups], finite; read only for formats that have them.</summary>
    public Half[] Least { get; } = new Half[(inputs + GroupInputs - 1) / GroupInputs];
}
