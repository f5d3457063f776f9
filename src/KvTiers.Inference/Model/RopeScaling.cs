namespace KvTiers.Inference.Model;

/// <summary>Stretches rotary frequencies beyond the context that a model was trained on.</summary>
public abstract record RopeScaling
{
    private RopeScaling()
    {
    }

    /// <summary>Factor on what is turned: on every sine and cosine of queries and keys.</summary>
    public virtual double AttentionFactor => 1;

    /// <summary>Every frequency divided by one factor.</summary>
    /// <param name="Factor">At least 1.</param>
    public sealed record Linear(double Factor) : RopeScaling;

    /// <summary>Llama 3: long wave lengths divided by a factor, short ones kept, those between blended.</summary>
    /// <param name="Factor">Divisor of the low frequencies.</param>
    /// <param name="LowFrequencyFactor">Wave lengths above originalContextLength / this are divided.</param>
    /// <param name="HighFrequencyFactor">Wave lengths below originalContextLength / this are kept.</param>
    /// <param name="OriginalContextLength">Tokens of context before scaling.</param>
    public sealed record Llama3(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalContextLength) : RopeScaling;

    /// <summary>YaRN (Peng et al., 2023): frequencies that turn often in the original context kept, those that hardly turn divided, a ramp between.</summary>
    /// <param name="Factor">Divisor of the low frequencies.</param>
    /// <param name="OriginalContextLength">Tokens of context before scaling.</param>
    /// <param name="BetaFast">Turns in the original context from which on a frequency is kept.</param>
    /// <param name="BetaSlow">Turns up to which it is divided.</param>
    /// <param name="IsTruncated">The ramp begins and ends at whole pairs of elements.</param>
    /// <param name="AttentionFactor">Factor on what is turned.</param>
    public sealed record Yarn(double Factor, int OriginalContextLength, double BetaFast, double BetaSlow, bool IsTruncated, double AttentionFactor) : RopeScaling
    {
        /// <inheritdoc/>
        public override double AttentionFactor { get; } = AttentionFactor;
    }

    /// <summary>LongRoPE (Ding et al., 2024): every frequency divided by a factor of its own.</summary>
    /// <param name="Factors">One for each frequency.</param>
    /// <param name="AttentionFactor">Factor on what is turned.</param>
    public sealed record LongRope(IReadOnlyList<double> Factors, double AttentionFactor) : RopeScaling
    {
        /// <inheritdoc/>
        public override double AttentionFactor { get; } = AttentionFactor;
    }
}
