namespace KvTiers.MakeModel;

/// <summary>A tensor to be stored.</summary>
/// <param name="Name">Its key in the file.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
public sealed record TensorInfo(string Name, IReadOnlyList<int> Shape)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (count, dimension) => count * dimension);
}
