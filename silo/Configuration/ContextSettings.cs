using System.Globalization;
using KvTiers.Conversations;

namespace KvTiers.Silo.Configuration;

/// <summary>What is done when a conversation outgrows the model's context.</summary>
internal sealed record ContextSettings
{
    /// <summary>What is done with conversations that say nothing of it.</summary>
    public ContextPolicy Policy { get; init; } = ContextPolicy.DropOldest;

    /// <summary>Share of the room for prompts that a cut leaves filled, 0.1 to 0.9.</summary>
    public double Keep { get; init; } = 0.5;

    /// <summary>Most tokens of a summary, 16 to 4,096.</summary>
    public int SummaryTokens { get; init; } = 256;

    /// <summary>Reads them.</summary>
    public static SiloOptions Read(SettingsReader reader, SiloOptions options)
    {
        var defaults = new ContextSettings();
        return options with
        {
            Context = new ContextSettings
            {
                Policy = reader.Read("ContextPolicy", defaults.Policy, "refuse, drop-oldest, keep-ends or summarize", ParsePolicy),
                Keep = reader.Read("ContextKeep", defaults.Keep, "a number from 0.1 to 0.9", ParseKeep),
                SummaryTokens = reader.Read("SummaryTokens", defaults.SummaryTokens, "a whole number from 16 to 4096", SiloOptionsReader.Integer(16, 4096)),
            },
        };
    }

    private static bool ParsePolicy(string text, out ContextPolicy value)
    {
        ContextPolicy? policy = text.ToLowerInvariant() switch
        {
            "refuse" => ContextPolicy.Refuse,
            "drop-oldest" => ContextPolicy.DropOldest,
            "keep-ends" => ContextPolicy.KeepEnds,
            "summarize" => ContextPolicy.Summarize,
            _ => null,
        };
        value = policy ?? default;
        return policy is not null;
    }

    private static bool ParseKeep(string text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) && value is >= 0.1 and <= 0.9;
}
