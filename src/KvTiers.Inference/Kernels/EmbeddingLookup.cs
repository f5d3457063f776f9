namespace KvTiers.Inference.Kernels;

/// <summary>A row per token: its embedding times a factor, plus that of its position where a model learns positions.</summary>
internal sealed unsafe class EmbeddingLookup(ThreadTeam team) : ITeamJob
{
    private const int RowsPerChunk = 8;
    private StepRows _rows = null!;
    private PackedMatrix _tokens = null!;
    private float* _positions;
    private float _scale;
    private float* _output;

    /// <summary>Looks rows up.</summary>
    /// <param name="rows">The rows' tokens and positions.</param>
    /// <param name="tokens">[vocabulary, hidden].</param>
    /// <param name="positions">[contextLength, hidden], or null.</param>
    /// <param name="output">[rows, hidden].</param>
    /// <param name="scale">Factor on every embedding of a token.</param>
    public void Run(StepRows rows, PackedMatrix tokens, float* positions, float* output, float scale = 1)
    {
        _rows = rows;
        _tokens = tokens;
        _positions = positions;
        _output = output;
        _scale = scale;
        team.Run(this, (rows.Count + RowsPerChunk - 1) / RowsPerChunk);
    }

    void ITeamJob.Run(int chunk, int worker)
    {
        int hidden = _tokens.Inputs;
        int last = Math.Min((chunk + 1) * RowsPerChunk, _rows.Count);
        for (int row = chunk * RowsPerChunk; row < last; row++)
        {
            float* output = _output + (long)row * hidden;
            _tokens.Read(_rows.TokenIds[row], output);
            for (int i = 0; _scale != 1 && i < hidden; i++)
                output[i] *= _scale;
            if (_positions == null)
                continue;
            float* position = _positions + (long)_rows.Positions[row] * hidden;
            for (int i = 0; i < hidden; i++)
                output[i] += position[i];
        }
    }
}
