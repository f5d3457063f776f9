namespace KvTiers.Inference.Model;

/// <summary>Stretches rotary frequencies beyond the context that a model was trained on.</summary>
public abstract record RopeScaling
{
    private RopeScaling()
    {
    }

    /// <summary>Every frequency divided by one factor.</summary>
    /// <param name="Factor">At least 1.</param>
    public sealed record Linear(double Factor) : RopeScaling;

    /// <summary>Llama 3: long wave lengths divided by a factor, short ones kept, those between blended.</summary>
    /// <param name="Factor">Divisor of the low frequencies.</param>
    /// <param name="LowFrequencyFactor">Wave lengths above originalContextLength / this are divided.</param>
    /// <param name="HighFrequencyFactor">Wave lengths below originalContextLength / this are kept.</param>
    /// <param name="OriginalContextLength">Tokens of context before scaling.</param>
    public sealed record Llama3(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalContextLength) : RopeScaling;
}
