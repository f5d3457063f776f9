using KvTiers.Blocks;

namespace KvTiers.Inference.Kernels;

/// <summary>Neighbouring rows of one sequence that attention computes together.</summary>
/// <param name="Table">The sequence's blocks.</param>
/// <param name="FirstRow">The first row's index.</param>
/// <param name="RowCount">Rows.</param>
/// <param name="Position">The first row's position.</param>
internal readonly record struct AttentionTile(BlockTable Table, int FirstRow, int RowCount, int Position);
