using KvTiers.Inference.Model;

namespace KvTiers.Inference.Scheduling;

/// <summary>The beams of one generation: which sequences live, which have ended, and which live on.</summary>
/// <remarks>It decides; the engine moves sequences and leases. Among equals the better beam's, then the likelier, then the lower token comes first.</remarks>
internal sealed class BeamSearch
{
    private readonly BeamSearchOptions _options;
    private readonly int _choices;
    private readonly int _maxOutput;
    private readonly HashSet<int> _endTokens;
    private readonly List<BeamHypothesis> _ended = [];

    /// <summary>A search that begins with a generation's prompt.</summary>
    public BeamSearch(Sequence prompt, HashSet<int> endTokens)
    {
        Generation = prompt.Generation;
        GenerationRequest request = Generation.Request;
        _options = request.Beams!;
        _choices = request.Choices;
        _maxOutput = Generation.MaxTokenCount - prompt.PromptLength;
        _endTokens = endTokens;
        Beams = [prompt];
    }

    public Generation Generation { get; }

    /// <summary>The living beams, the best first.</summary>
    public List<Sequence> Beams { get; set; }

    /// <summary>The next choice number for a beam: they order sequences, and say nothing else.</summary>
    public int NextNumber { get; set; } = 1;

    /// <summary>How many of the likeliest next tokens of a beam are looked at: with as many ends of text among them, enough are left.</summary>
    public int CandidateCount => Math.Max(2 * _options.Width, _options.Width + _endTokens.Count);

    /// <summary>True when every beam has its candidates.</summary>
    public bool IsReady => Beams.TrueForAll(static beam => beam.Candidates is not null);

    /// <summary>Sets aside what ends, and gives the steps that live on, the best first; none when the search is over.</summary>
    public List<BeamStep> Choose()
    {
        int length = Beams[0].OutputCount + 1;
        List<BeamStep> steps = [];
        foreach (Sequence beam in Beams)
        {
            foreach (TokenAlternative candidate in beam.Candidates!)
            {
                var step = new BeamStep(beam, candidate.Id, beam.LogProbSum + candidate.LogProb);
                if (_endTokens.Contains(candidate.Id))
                    SetAside(step, FinishReason.Stop);
                else
                    steps.Add(step);
            }
        }

        List<BeamStep> best = [.. steps.OrderByDescending(static step => step.LogProb).Take(_options.Width)];
        if (length == _maxOutput)
        {
            foreach (BeamStep step in best)
                SetAside(step, FinishReason.Length);
        }

        return length == _maxOutput || best.Count == 0 || IsDecided(best[0].LogProb, length) ? [] : best;
    }

    /// <summary>The best sequences, at most as many as choices were asked for. Living beams count with a reason; without one, they do not.</summary>
    public IReadOnlyList<BeamHypothesis> Best(FinishReason? living)
    {
        if (living is { } reason)
        {
            foreach (Sequence beam in Beams)
                Insert(new BeamHypothesis(beam.Tokens[beam.PromptLength..].ToArray(), Score(beam.LogProbSum, beam.OutputCount), reason));
        }

        return _ended;
    }

    // True when the best beam, should it lose nothing from now on, comes behind all that are asked for.
    private bool IsDecided(double logProb, int length) =>
        _ended.Count == _choices && _ended[^1].Score >= Math.Max(Score(logProb, length), Score(logProb, _maxOutput));

    private void SetAside(in BeamStep step, FinishReason reason)
    {
        ReadOnlySpan<int> tokens = step.Beam.Tokens[step.Beam.PromptLength..];
        double score = Score(step.LogProb, tokens.Length + 1);
        if (_ended.Count < _choices || score > _ended[^1].Score)
            Insert(new BeamHypothesis([.. tokens, step.Token], score, reason));
    }

    private void Insert(BeamHypothesis hypothesis)
    {
        int place = _ended.Count;
        while (place > 0 && _ended[place - 1].Score < hypothesis.Score)
            place--;
        _ended.Insert(place, hypothesis);
        if (_ended.Count > _choices)
            _ended.RemoveAt(_choices);
    }

    private double Score(double logProb, int length) => logProb / Math.Pow(Math.Max(1, length), _options.LengthPenalty);
}
