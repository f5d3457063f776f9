using KvTiers.Conversations;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

public sealed class SamplingOptionsTests
{
    public static TheoryData<SamplingOptions> Allowed =>
    [
        new SamplingOptions(),
        SamplingOptions.Greedy,
        new SamplingOptions { Temperature = 2, TopK = int.MaxValue, TopP = 1, MinP = 1, RepetitionPenalty = 10, PresencePenalty = 2, FrequencyPenalty = 2, TopLogProbs = 20 },
        new SamplingOptions { Temperature = 0, TopK = 0, TopP = 0, MinP = 0, RepetitionPenalty = 1e-6, PresencePenalty = -2, FrequencyPenalty = -2, TopLogProbs = 0 },
        new SamplingOptions { LogitBias = [new LogitBias(0, -100), new LogitBias(7, 100)] },
    ];

    public static TheoryData<SamplingOptions, string, string> Refused => new()
    {
        { new SamplingOptions { Temperature = -0.1 }, "Temperature", "-0.1" },
        { new SamplingOptions { Temperature = 2.01 }, "Temperature", "2.01" },
        { new SamplingOptions { Temperature = double.NaN }, "Temperature", "NaN" },
        { new SamplingOptions { TopK = -1 }, "TopK", "-1" },
        { new SamplingOptions { TopP = -0.01 }, "TopP", "-0.01" },
        { new SamplingOptions { TopP = 1.01 }, "TopP", "1.01" },
        { new SamplingOptions { MinP = -0.01 }, "MinP", "-0.01" },
        { new SamplingOptions { MinP = 1.01 }, "MinP", "1.01" },
        { new SamplingOptions { RepetitionPenalty = 0 }, "RepetitionPenalty", "0" },
        { new SamplingOptions { RepetitionPenalty = 10.1 }, "RepetitionPenalty", "10.1" },
        { new SamplingOptions { PresencePenalty = -2.1 }, "PresencePenalty", "-2.1" },
        { new SamplingOptions { PresencePenalty = 2.1 }, "PresencePenalty", "2.1" },
        { new SamplingOptions { FrequencyPenalty = -2.1 }, "FrequencyPenalty", "-2.1" },
        { new SamplingOptions { FrequencyPenalty = 2.1 }, "FrequencyPenalty", "2.1" },
        { new SamplingOptions { TopLogProbs = -1 }, "TopLogProbs", "-1" },
        { new SamplingOptions { TopLogProbs = 21 }, "TopLogProbs", "21" },
        { new SamplingOptions { LogitBias = [new LogitBias(-1, 0)] }, "LogitBias", "-1" },
        { new SamplingOptions { LogitBias = [new LogitBias(1, 101)] }, "LogitBias", "101" },
        { new SamplingOptions { LogitBias = [new LogitBias(1, -101)] }, "LogitBias", "-101" },
    };

    [Theory]
    [MemberData(nameof(Allowed))]
    public void ValuesAtTheEdgesOfTheirRangesAreAllowed(SamplingOptions options) => options.Validate();

    [Theory]
    [MemberData(nameof(Refused))]
    public void AValueOutOfRangeIsRefusedByNameValueAndRule(SamplingOptions options, string property, string value)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(options.Validate);

        Assert.Equal(property, error.ParamName);
        Assert.StartsWith($"{property} is {value}; it must be ", error.Message, StringComparison.Ordinal);
    }
}
