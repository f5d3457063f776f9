namespace KvTiers.MakeModel;

/// <summary>A tensor to be written to a GGUF file.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Shape">Outermost first.</param>
/// <param name="Type">The number of its element type.</param>
/// <param name="Data">Its bytes.</param>
public sealed record WrittenTensor(string Name, int[] Shape, int Type, byte[] Data);
