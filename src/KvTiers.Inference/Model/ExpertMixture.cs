using System.Runtime.InteropServices;
using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>
/// Mixture-of-experts layers: each expert computes the rows that were routed to it together, and adds them, by their weights, to where they came from. A row's
/// sum is over its experts in ascending order, so its bits do not depend on the rows beside it.
/// </summary>
internal sealed unsafe class ExpertMixture : IDisposable
{
    private readonly ExpertsConfig _experts;
    private readonly int _hidden;
    private readonly MatMul _matMul;
    private readonly ExpertRouting _routing;
    private readonly RowSelection _selection;
    private readonly NativeBuffer _scores; // [rows, experts]
    private readonly NativeBuffer _gathered; // [rows, hidden]: an expert's input
    private readonly NativeBuffer _results; // [rows, hidden]: its output
    private readonly NativeBuffer _mixed; // [rows, hidden]

    /// <summary>Prepares scratch memory.</summary>
    /// <param name="experts">The experts.</param>
    /// <param name="hidden">Elements of a row.</param>
    /// <param name="team">The threads.</param>
    /// <param name="path">The instruction set.</param>
    /// <param name="matMul">Multiplies.</param>
    /// <param name="mostRows">Rows at most.</param>
    public ExpertMixture(ExpertsConfig experts, int hidden, ThreadTeam team, KernelPath path, MatMul matMul, int mostRows)
    {
        _experts = experts;
        _hidden = hidden;
        _matMul = matMul;
        _routing = new ExpertRouting(experts.Count, experts.PerToken, experts.IsNormalised, mostRows);
        _selection = new RowSelection(team, path, mostRows);
        _scores = Scratch(experts.Count);
        _gathered = Scratch(hidden);
        _results = Scratch(hidden);
        _mixed = Scratch(hidden);

        NativeBuffer Scratch(int columns) => new((long)mostRows * columns * sizeof(float));
    }

    /// <summary>Computes one layer.</summary>
    /// <param name="mixture">Its weights.</param>
    /// <param name="input">[rows, hidden].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="inner">Scratch of [rows, intermediate].</param>
    /// <param name="activate">The experts' function.</param>
    /// <returns>[rows, hidden], until the next call.</returns>
    public float* Run(DecoderWeights.Mixture mixture, float* input, int rows, float* inner, MatMulResult activate)
    {
        _matMul.Run(mixture.Router, input, rows, _scores.Floats, _experts.Count);
        _routing.Route(_scores.Floats, rows);
        NativeMemory.Clear(_mixed.Bytes, (nuint)rows * (nuint)_hidden * sizeof(float));
        for (int expert = 0; expert < _experts.Count; expert++)
        {
            ReadOnlySpan<int> own = _routing.RowsOf(expert);
            if (own.IsEmpty)
                continue;
            DecoderWeights.FeedForward weights = mixture.Experts[expert];
            _selection.Gather(own, input, _gathered.Floats, _hidden);
            _matMul.Run(weights.Up.Matrix, _gathered.Floats, own.Length, inner, _experts.Intermediate, null, activate);
            _matMul.Run(weights.Down.Matrix, inner, own.Length, _results.Floats, _hidden);
            _selection.Add(own, _routing.WeightsOf(expert), _results.Floats, _mixed.Floats, _hidden);
        }
        return _mixed.Floats;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NativeBuffer buffer in (NativeBuffer[])[_scores, _gathered, _results, _mixed])
            buffer.Dispose();
    }
}
