namespace KvTiers.TorchSharp;

/// <summary>Row-major K and V of one layer and one sequence, in host memory.</summary>
/// <param name="Keys">The first row of the first head's keys.</param>
/// <param name="Values">The same of its values.</param>
/// <param name="HeadStride">Elements from one head's first row to the next one's.</param>
internal readonly record struct RowMemory(nint Keys, nint Values, long HeadStride);
