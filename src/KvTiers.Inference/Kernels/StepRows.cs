using KvTiers.Blocks;

namespace KvTiers.Inference.Kernels;

/// <summary>Describes the rows of one tile of a step: each row's position and blocks, the tiles that attention works in, and the rows whose logits or hidden states are wanted.</summary>
internal sealed class StepRows
{
    private readonly int _queryRows;
    private readonly AttentionTile[] _tiles;
    private readonly int[] _outputRows;
    private readonly int[] _targets;

    /// <summary>Creates room for a tile of a step.</summary>
    /// <param name="mostRows">Rows at most.</param>
    /// <param name="queryRows">Neighbouring rows of a sequence that attention takes together at most.</param>
    public StepRows(int mostRows, int queryRows)
    {
        _queryRows = queryRows;
        Positions = new int[mostRows];
        Tables = new BlockTable[mostRows];
        TokenIds = new int[mostRows];
        _tiles = new AttentionTile[mostRows];
        _outputRows = new int[mostRows];
        _targets = new int[mostRows];
    }

    /// <summary>Rows.</summary>
    public int Count { get; private set; }

    /// <summary>Each row's position in its sequence.</summary>
    public int[] Positions { get; }

    /// <summary>Each row's token.</summary>
    public int[] TokenIds { get; }

    /// <summary>Each row's sequence.</summary>
    public BlockTable[] Tables { get; }

    /// <summary>The rows in runs of neighbours of one sequence.</summary>
    public ReadOnlySpan<AttentionTile> Tiles => _tiles.AsSpan(0, TileCount);

    /// <summary>Number of <see cref="Tiles"/>.</summary>
    public int TileCount { get; private set; }

    /// <summary>The rows whose logits or hidden states are wanted, in ascending order.</summary>
    public ReadOnlySpan<int> OutputRows => _outputRows.AsSpan(0, OutputRowCount);

    /// <summary>Where each of them stands: among the step's rows of logits or, as a complement (~), among its rows of hidden states. Each kind ascends by one.</summary>
    public ReadOnlySpan<int> Targets => _targets.AsSpan(0, OutputRowCount);

    /// <summary>Number of <see cref="OutputRows"/>.</summary>
    public int OutputRowCount { get; private set; }

    /// <summary>Takes rows first to first + count − 1 of a step.</summary>
    /// <param name="tokenIds">The token of each row of the step.</param>
    /// <param name="segments">The step's sequences.</param>
    /// <param name="first">The first row to take.</param>
    /// <param name="count">How many.</param>
    public void Set(ReadOnlySpan<int> tokenIds, ReadOnlySpan<StepSegment> segments, int first, int count)
    {
        Count = count;
        TileCount = 0;
        OutputRowCount = 0;
        tokenIds.Slice(first, count).CopyTo(TokenIds);
        foreach (StepSegment segment in segments)
        {
            int from = Math.Max(segment.FirstRow, first);
            int to = Math.Min(segment.FirstRow + segment.RowCount, first + count);
            for (int row = from; row < to; row++)
            {
                Positions[row - first] = segment.StartPosition + row - segment.FirstRow;
                Tables[row - first] = segment.Table;
            }
            for (int row = from; row < to; row += _queryRows)
                _tiles[TileCount++] = new AttentionTile(segment.Table, row - first, Math.Min(_queryRows, to - row), Positions[row - first]);
            int wanted = segment.FirstRow + segment.RowCount - segment.LogitRowCount - segment.HiddenRowCount;
            for (int row = Math.Max(wanted, from); row < to; row++)
            {
                _targets[OutputRowCount] = segment.HiddenRowCount > 0 ? ~(segment.FirstHiddenRow + row - wanted) : segment.FirstLogitRow + row - wanted;
                _outputRows[OutputRowCount++] = row - first;
            }
        }
    }

    /// <summary>Forgets the sequences.</summary>
    public void Clear()
    {
        Array.Clear(Tables, 0, Count);
        Array.Clear(_tiles, 0, TileCount);
        Count = 0;
        TileCount = 0;
        OutputRowCount = 0;
    }
}
