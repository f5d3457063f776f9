using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Cli.Chat;

/// <summary>One option of <see cref="ChatOptions"/>.</summary>
/// <param name="Name">Its name, as the API has it.</param>
/// <param name="Rule">What its value must be; it follows "it must be".</param>
/// <param name="Show">Its value as it is written; <see langword="null"/> when it stands at the default.</param>
/// <param name="TrySet">Takes a value; false when it breaks the rule.</param>
internal sealed record ChatOption(string Name, string Rule, Func<ChatOptions, string?> Show, Func<ChatOptions, string, bool> TrySet)
{
    // A stop string is shown as it would be typed, umlauts included.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Values that may be completed.</summary>
    public IReadOnlyList<string> Values { get; private init; } = [ChatOptions.Default];

    public static ChatOption Number(
        string name, string rule, Func<double, bool> holds, Func<GenerationOptions, double?> get, Func<GenerationOptions, double?, GenerationOptions> set) => new(
        name, rule,
        options => get(options.Generation)?.ToString(CultureInfo.InvariantCulture),
        (options, text) =>
        {
            double? value = null;
            if (text != ChatOptions.Default)
            {
                if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || !holds(number))
                    return false;
                value = number;
            }

            options.Generation = set(options.Generation, value);
            return true;
        });

    public static ChatOption Integer(
        string name, string rule, long least, long most, Func<GenerationOptions, long?> get, Func<GenerationOptions, long?, GenerationOptions> set) => new(
        name, rule,
        options => get(options.Generation)?.ToString(CultureInfo.InvariantCulture),
        (options, text) =>
        {
            long? value = null;
            if (text != ChatOptions.Default)
            {
                if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) || number < least || number > most)
                    return false;
                value = number;
            }

            options.Generation = set(options.Generation, value);
            return true;
        });

    public static ChatOption Stop(string name) => new(
        name, "a text that is not empty, or a JSON list of such texts",
        options => options.Generation.Stop is { } stop ? JsonSerializer.Serialize(stop, Plain) : null,
        (options, text) =>
        {
            IReadOnlyList<string>? stop = text == ChatOptions.Default ? null : ReadStop(text);
            if (stop is not null && (stop.Count == 0 || stop.Any(string.IsNullOrEmpty)))
                return false;
            options.Generation = options.Generation with { Stop = stop };
            return true;
        });

    public static ChatOption Policy(string name) => new(
        name, string.Join(", ", PolicyNames[..^1]) + " or " + PolicyNames[^1],
        options => options.ContextPolicy is { } policy ? NameOf(policy) : null,
        (options, text) =>
        {
            ContextPolicy? policy = Enum.GetValues<ContextPolicy>().Where(policy => NameOf(policy) == text).Cast<ContextPolicy?>().FirstOrDefault();
            options.ContextPolicy = policy;
            return policy is not null || text == ChatOptions.Default;
        })
    {
        Values = PolicyNames,
    };

    public static ChatOption Statistics(string name) => new(
        name, "on or off",
        options => options.ShowsStatistics ? null : "off",
        (options, text) =>
        {
            options.ShowsStatistics = text != "off";
            return text is "on" or "off" or ChatOptions.Default;
        })
    {
        Values = ["on", "off"],
    };

    private static string[] PolicyNames => [.. Enum.GetValues<ContextPolicy>().Select(NameOf)];

    private static string NameOf(ContextPolicy policy) => JsonNamingPolicy.SnakeCaseLower.ConvertName(policy.ToString());

    // Text in JSON's own marks may hold line breaks; other text stands for itself.
    private static IReadOnlyList<string> ReadStop(string text)
    {
        try
        {
            return text switch
            {
                ['[', ..] => JsonSerializer.Deserialize<List<string>>(text) ?? [],
                ['"', ..] => [JsonSerializer.Deserialize<string>(text) ?? ""],
                _ => [text],
            };
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
