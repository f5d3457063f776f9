namespace KvTiers.Inference.Kernels;

/// <summary>
/// Which rows a kernel of so many rows computes where there are fewer. It takes its rows in groups of three neighbours; the last group moves up
/// until it ends with the last row there is, and computes again what the group before has. So nothing is read past the last row.
/// </summary>
internal static class TileRows
{
    private const int GroupRows = 3;

    /// <summary>The row that a group begins with.</summary>
    /// <param name="slot">The first of the kernel's rows that the group fills, a multiple of 3.</param>
    /// <param name="slots">Rows of the kernel.</param>
    /// <param name="rows">Rows that there are; the last group may begin before row 0, with rows of the tile before.</param>
    public static int First(int slot, int slots, int rows) => Math.Min(slot, rows - Math.Min(GroupRows, slots - slot));

    /// <summary>The first of the kernel's rows that may hold another row than its own.</summary>
    public static int FirstMoved(int slots) => (slots - 1) / GroupRows * GroupRows;

    /// <summary>The kernel's row that holds a row.</summary>
    public static int Slot(int row, int slots, int rows) => row < FirstMoved(slots) ? row : row + slots - rows;
}
