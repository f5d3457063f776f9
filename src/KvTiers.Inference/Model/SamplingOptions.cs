using System.Globalization;
using KvTiers.Conversations;

namespace KvTiers.Inference.Model;

/// <summary>How the next token is chosen from a row of logits.</summary>
/// <remarks>
/// Order of application: logit bias, repetition penalty, presence and frequency penalties, temperature, min-p, top-k, top-p, draw.
/// Log-probabilities are those of the model's own logits, before any of it.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Always the likeliest token; among equals the lowest id.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>0 to 2. 0 is greedy: the likeliest token always. Default 1.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Only the k likeliest tokens can be drawn; 0 or more, 0 = no limit. Default 0.</summary>
    public int TopK { get; init; }

    /// <summary>Only the fewest likeliest tokens whose probabilities add up to this share can be drawn (at least one); 0 to 1, 1 = all. Default 1.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Only tokens at least this fraction as likely as the likeliest can be drawn; 0 to 1, 0 = all. Default 0.</summary>
    public double MinP { get; init; }

    /// <summary>
    /// Above 0, at most 10. Logits of tokens that occur in prompt or output are divided by it when positive, else multiplied. 1 = none. Default 1.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>−2 to 2. Subtracted from the logit of each token that the output holds. Default 0.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>−2 to 2. Subtracted from a token's logit once for each time the output holds it. Default 0.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>What is added to the logits of single tokens, −100 to 100 each. Default none.</summary>
    public IReadOnlyList<LogitBias> LogitBias { get; init; } = [];

    /// <summary>Fixes every draw: same model, tokens, options and seed, same output. Null = the engine picks one and reports it.</summary>
    public long? Seed { get; init; }

    /// <summary>0 to 20: log-probabilities of the chosen token and of this many likeliest ones. Null = none at all.</summary>
    public int? TopLogProbs { get; init; }

    /// <summary>True when the likeliest token is taken without a draw.</summary>
    public bool IsGreedy => Temperature == 0;

    /// <summary>True when earlier tokens weigh on the choice.</summary>
    public bool HasPenalties => RepetitionPenalty != 1 || PresencePenalty != 0 || FrequencyPenalty != 0;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names property, value and rule, the parameter name is the property.</exception>
    public void Validate()
    {
        Check(Temperature is >= 0 and <= 2, nameof(Temperature), Temperature, "from 0 to 2");
        Check(TopK >= 0, nameof(TopK), TopK, "0 (no limit) or more");
        Check(TopP is >= 0 and <= 1, nameof(TopP), TopP, "from 0 to 1");
        Check(MinP is >= 0 and <= 1, nameof(MinP), MinP, "from 0 to 1");
        Check(RepetitionPenalty is > 0 and <= 10, nameof(RepetitionPenalty), RepetitionPenalty, "above 0 and at most 10");
        Check(PresencePenalty is >= -2 and <= 2, nameof(PresencePenalty), PresencePenalty, "from -2 to 2");
        Check(FrequencyPenalty is >= -2 and <= 2, nameof(FrequencyPenalty), FrequencyPenalty, "from -2 to 2");
        Check(TopLogProbs is null or (>= 0 and <= 20), nameof(TopLogProbs), TopLogProbs ?? 0, "from 0 to 20");
        ArgumentNullException.ThrowIfNull(LogitBias);
        foreach ((int id, double bias) in LogitBias)
        {
            Check(id >= 0, nameof(LogitBias), id, "a token id, 0 or more");
            Check(bias is >= -100 and <= 100, nameof(LogitBias), bias, "from -100 to 100");
        }
    }

    private static void Check(bool holds, string property, double value, string rule)
    {
        if (!holds)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{property} is {value}; it must be {rule}."), property);
    }
}
