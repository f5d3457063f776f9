namespace KvTiers.Inference.Scheduling;

/// <summary>Tells how many prompt tokens fit into a time, by a moving average of the seconds that a row took in the steps before.</summary>
internal sealed class PrefillBound(TimeSpan mostDelay, int mostTokens)
{
    // Steps with fewer prompt tokens say little about the speed of prefill.
    private const int SampleTokens = 16;

    // Before anything was measured, and however slow it is: a prompt always gets on by a block.
    private const int LeastTokens = 16;
    private const double Weight = 0.25;

    private double _secondsPerRow;

    /// <summary>Tokens that fit.</summary>
    public int Tokens => _secondsPerRow <= 0
        ? Math.Min(4 * LeastTokens, mostTokens)
        : (int)Math.Clamp(mostDelay.TotalSeconds / _secondsPerRow, Math.Min(LeastTokens, mostTokens), mostTokens);

    /// <summary>Notes a step.</summary>
    /// <param name="prefillTokens">Prompt tokens in it.</param>
    /// <param name="rows">All rows in it.</param>
    /// <param name="elapsed">How long it took.</param>
    public void Note(int prefillTokens, int rows, TimeSpan elapsed)
    {
        if (prefillTokens < SampleTokens || elapsed <= TimeSpan.Zero)
            return;
        double seconds = elapsed.TotalSeconds / rows;
        _secondsPerRow = _secondsPerRow <= 0 ? seconds : _secondsPerRow + Weight * (seconds - _secondsPerRow);
    }
}
