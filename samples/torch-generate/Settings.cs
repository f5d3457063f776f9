using System.Globalization;

namespace KvTiers.Samples.TorchGenerate;

/// <summary>The command line: <c>[FOLDER] [--prompt-tokens N] [--new-tokens N] [--top-k K] [--use-cache on|off|both] [--rounds N] [--disk FOLDER] [--text TEXT]</c>.</summary>
public sealed record Settings
{
    /// <summary>A Hugging Face folder.</summary>
    public string Model { get; private init; } = Path.Combine("models", "demo");

    /// <summary>Tokens of the prompt, which are made up; 0 for the text's.</summary>
    public int PromptTokens { get; private init; }

    /// <summary>What is continued where no number of tokens is given.</summary>
    public string Text { get; private init; } = "My name is Marta and I live in Porto. Please remember both of it. What is my name, and where do I live?";

    /// <summary>Tokens to generate.</summary>
    public int NewTokens { get; private init; } = 40;

    /// <summary>Tokens to draw among; null for the likeliest.</summary>
    public int? TopK { get; private init; }

    /// <summary>"on", "off" or "both".</summary>
    public string UseCache { get; private init; } = "both";

    /// <summary>How often each way is timed, in turns.</summary>
    public int Rounds { get; private init; } = 1;

    /// <summary>Where the disk tier lies.</summary>
    public string Disk { get; private init; } = Path.Combine(Path.GetTempPath(), "torch-generate");

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="ArgumentException">One is not known or has no value.</exception>
    public static Settings Read(IReadOnlyList<string> args)
    {
        var settings = new Settings();
        for (int i = 0; i < args.Count; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
            {
                settings = settings with { Model = args[i] };
                continue;
            }

            string name = args[i], value = ++i < args.Count ? args[i] : throw new ArgumentException($"{name} needs a value.");
            settings = name switch
            {
                "--prompt-tokens" => settings with { PromptTokens = Number(name, value) },
                "--new-tokens" => settings with { NewTokens = Number(name, value) },
                "--top-k" => settings with { TopK = Number(name, value) },
                "--rounds" => settings with { Rounds = Number(name, value) },
                "--use-cache" when value is "on" or "off" or "both" => settings with { UseCache = value },
                "--disk" => settings with { Disk = value },
                "--text" => settings with { Text = value },
                _ => throw new ArgumentException($"{name} {value} is not known."),
            };
        }

        return settings;
    }

    private static int Number(string name, string value) =>
        int.TryParse(value, CultureInfo.InvariantCulture, out int number) && number >= 1 ? number : throw new ArgumentException($"{name} is {value}; it must be 1 or more.");
}
