using KvTiers.Cli.Outcomes;
using KvTiers.Conversations;

namespace KvTiers.Cli.Chat;

/// <summary>What <c>/set</c> and <c>--set</c> change: how answers are generated, and what is shown of them.</summary>
internal sealed class ChatOptions
{
    /// <summary>The value that gives an option back to the server.</summary>
    public const string Default = "default";

    /// <summary>All options, in the order in which they are listed.</summary>
    public static IReadOnlyList<ChatOption> All { get; } =
    [
        ChatOption.Number("temperature", "a number from 0 to 2", value => value is >= 0 and <= 2, options => options.Temperature, (options, value) => options with { Temperature = value }),
        ChatOption.Number("top_p", "a number from 0 to 1", IsShare, options => options.TopP, (options, value) => options with { TopP = value }),
        ChatOption.Integer("top_k", "a whole number, 0 (no limit) or more", 0, int.MaxValue, options => options.TopK, (options, value) => options with { TopK = (int?)value }),
        ChatOption.Number("min_p", "a number from 0 to 1", IsShare, options => options.MinP, (options, value) => options with { MinP = value }),
        ChatOption.Number(
            "repetition_penalty", "a number above 0 and at most 10", value => value is > 0 and <= 10,
            options => options.RepetitionPenalty, (options, value) => options with { RepetitionPenalty = value }),
        ChatOption.Number("presence_penalty", "a number from -2 to 2", IsPenalty, options => options.PresencePenalty, (options, value) => options with { PresencePenalty = value }),
        ChatOption.Number("frequency_penalty", "a number from -2 to 2", IsPenalty, options => options.FrequencyPenalty, (options, value) => options with { FrequencyPenalty = value }),
        ChatOption.Integer("seed", "a whole number", long.MinValue, long.MaxValue, options => options.Seed, (options, value) => options with { Seed = value }),
        ChatOption.Integer("max_tokens", "a whole number, 1 or more", 1, int.MaxValue, options => options.MaxTokens, (options, value) => options with { MaxTokens = (int?)value }),
        ChatOption.Stop("stop"),
        ChatOption.Policy("context_policy"),
        ChatOption.Statistics("stats"),
    ];

    /// <summary>How answers are generated.</summary>
    public GenerationOptions Generation { get; set; } = new();

    /// <summary>What is done when the conversation outgrows the model's context; null = as it was.</summary>
    public ContextPolicy? ContextPolicy { get; set; }

    /// <summary>Whether each turn, edit and undo tells what the cache did.</summary>
    public bool ShowsStatistics { get; set; } = true;

    /// <summary>Those that differ from the default, as <c>--set</c> takes them.</summary>
    public IEnumerable<string> Changed => All.Where(option => option.Show(this) is not null).Select(option => $"{option.Name}={option.Show(this)}");

    /// <summary>Sets one option.</summary>
    /// <exception cref="CliException">There is no such option, or its value breaks its rule.</exception>
    public void Set(string name, string value)
    {
        ChatOption option = All.FirstOrDefault(option => option.Name == name)
            ?? throw new CliException($"There is no option '{name}'; there are {string.Join(", ", All.Select(option => option.Name))}.");
        if (!option.TrySet(this, value))
            throw new CliException($"{name} is '{value}'; it must be {option.Rule}, or {Default}.");
    }

    private static bool IsShare(double value) => value is >= 0 and <= 1;

    private static bool IsPenalty(double value) => value is >= -2 and <= 2;
}
