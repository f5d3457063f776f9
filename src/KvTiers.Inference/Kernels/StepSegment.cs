using KvTiers.Blocks;

namespace KvTiers.Inference.Kernels;

/// <summary>Consecutive rows of one sequence in a step.</summary>
/// <param name="Table">The sequence's blocks. Has room for every row's position.</param>
/// <param name="FirstRow">Index of the segment's first row in the step.</param>
/// <param name="RowCount">Rows, one per token.</param>
/// <param name="StartPosition">Position of the first row's token in its sequence. K and V of all earlier positions are in the blocks.</param>
/// <param name="LogitRowCount">How many of the last rows get logits.</param>
/// <param name="FirstLogitRow">Index of the segment's first row of logits in the step.</param>
/// <param name="HiddenRowCount">How many of the last rows get hidden states; 0 where some get logits.</param>
/// <param name="FirstHiddenRow">Index of the segment's first row of hidden states in the step.</param>
public readonly record struct StepSegment(
    BlockTable Table, int FirstRow, int RowCount, int StartPosition, int LogitRowCount, int FirstLogitRow, int HiddenRowCount = 0, int FirstHiddenRow = 0);
