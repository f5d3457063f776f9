using System.CommandLine;

namespace KvTiers.Cli.Commands;

/// <summary>The API key of a server that asks for one: <c>--api-key</c>, or from the environment.</summary>
internal sealed class ApiKeyOption
{
    /// <summary>The environment variable, which other users do not see.</summary>
    public const string Variable = "KVTIERS_API_KEY";

    private readonly Option<string?> _option = new("--api-key")
    {
        Description = $"The server's API key; better in the environment, as {Variable}, where other users do not see it.",
        HelpName = "key",
    };

    /// <summary>Adds the option to a command, with its rule.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_option);
        command.Validators.Add(result =>
        {
            if (KeyOf(result.GetValue(_option)) is { } key && key.Any(c => !char.IsBetween(c, '!', '~')))
                result.AddError($"The API key (--api-key, or {Variable}) must be printable ASCII characters without spaces.");
        });
    }

    /// <summary>The key; null = none was given.</summary>
    public string? Of(ParseResult parsed) => KeyOf(parsed.GetValue(_option));

    private static string? KeyOf(string? given) =>
        given ?? (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } key ? key : null);
}
