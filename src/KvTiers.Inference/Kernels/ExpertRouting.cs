namespace KvTiers.Inference.Kernels;

/// <summary>
/// Which rows go to which experts, and with what weight: softmax over a row's scores, the greatest few of them, and among these, where asked for, each
/// divided by their sum. Of equal scores the lower expert's counts as greater. A row's choice depends on its own scores alone.
/// </summary>
internal sealed unsafe class ExpertRouting
{
    private readonly int _experts;
    private readonly int _perToken;
    private readonly bool _isNormalised;
    private readonly int[] _starts;
    private readonly int[] _rows;
    private readonly float[] _weights;
    private readonly int[] _chosen;
    private readonly float[] _chosenWeights;

    /// <summary>Creates room for a tile of a step.</summary>
    /// <param name="experts">Experts; a row has a score for each.</param>
    /// <param name="perToken">Experts that a row goes to, 1 to all.</param>
    /// <param name="isNormalised">A row's weights are divided by their sum.</param>
    /// <param name="mostRows">Rows at most.</param>
    public ExpertRouting(int experts, int perToken, bool isNormalised, int mostRows)
    {
        _experts = experts;
        _perToken = perToken;
        _isNormalised = isNormalised;
        _starts = new int[experts + 1];
        _rows = new int[mostRows * perToken];
        _weights = new float[mostRows * perToken];
        _chosen = new int[mostRows * perToken];
        _chosenWeights = new float[mostRows * perToken];
    }

    /// <summary>Routes rows.</summary>
    /// <param name="scores">[rows, experts]; overwritten.</param>
    /// <param name="rows">Rows.</param>
    public void Route(float* scores, int rows)
    {
        _starts.AsSpan().Clear();
        for (int row = 0; row < rows; row++)
        {
            Choose(new Span<float>(scores + (long)row * _experts, _experts), row * _perToken);
            for (int rank = 0; rank < _perToken; rank++)
                _starts[_chosen[row * _perToken + rank] + 1]++;
        }
        for (int expert = 0; expert < _experts; expert++)
            _starts[expert + 1] += _starts[expert];

        // Each expert's rows ascend. The starts move to the ends while the places are given out, and back.
        for (int i = 0; i < rows * _perToken; i++)
        {
            int place = _starts[_chosen[i]]++;
            _rows[place] = i / _perToken;
            _weights[place] = _chosenWeights[i];
        }
        _starts.AsSpan(0, _experts).CopyTo(_starts.AsSpan(1));
        _starts[0] = 0;
    }

    /// <summary>The rows that go to an expert, ascending.</summary>
    public ReadOnlySpan<int> RowsOf(int expert) => _rows.AsSpan(_starts[expert].._starts[expert + 1]);

    /// <summary>What each of them weighs there.</summary>
    public ReadOnlySpan<float> WeightsOf(int expert) => _weights.AsSpan(_starts[expert].._starts[expert + 1]);

    private void Choose(Span<float> scores, int first)
    {
        float greatest = scores[0];
        foreach (float score in scores)
            greatest = score > greatest ? score : greatest;
        float total = 0;
        foreach (float score in scores)
            total += Power(score - greatest);

        float sum = 0;
        for (int i = first; i < first + _perToken; i++)
        {
            int best = -1;
            for (int expert = 0; expert < scores.Length; expert++)
            {
                if (!float.IsNaN(scores[expert]) && (best < 0 || scores[expert] > scores[best]))
                    best = expert;
            }
            best = Math.Max(best, 0);
            _chosen[i] = best;
            _chosenWeights[i] = Power(scores[best] - greatest) / total;
            sum += _chosenWeights[i];
            scores[best] = float.NaN;
        }
        for (int i = first; _isNormalised && i < first + _perToken; i++)
            _chosenWeights[i] /= sum;
    }

    // By the same steps on every processor.
    private static float Power(float x)
    {
        LanesPlain power = Exponential.Of(LanesPlain.Broadcast(x));
        return power[0];
    }
}
