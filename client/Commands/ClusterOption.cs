using System.CommandLine;
using KvTiers.Cli.Chat;
using KvTiers.Cli.Cluster;

namespace KvTiers.Cli.Commands;

/// <summary><c>--cluster</c> and <c>--cluster-id</c>: the conversations of an Orleans cluster without HTTP.</summary>
internal sealed class ClusterOption
{
    private const string DefaultId = "kvtiers";

    private readonly Option<string?> _redis = new("--cluster")
    {
        Description = "Redis server of an Orleans cluster, whose silos are then reached without HTTP.",
        HelpName = "address",
    };

    private readonly Option<string> _id = new("--cluster-id") { Description = "The cluster's id.", HelpName = "name", DefaultValueFactory = _ => DefaultId };

    /// <summary>Adds both to a command; they take the place of <paramref name="url"/>.</summary>
    public void AddTo(Command command, Option url)
    {
        command.Add(_redis);
        command.Add(_id);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_redis) is not null && result.GetResult(url) is { Implicit: false })
                result.AddError($"--cluster takes the place of {url.Name}; both cannot be given.");
        });
    }

    /// <summary>The arguments that name a cluster again, as a shell takes them. An address with a password is left to a variable.</summary>
    public static string[] WordsOf(ClusterAddress address)
    {
        string redis = address.Redis.Contains("password", StringComparison.OrdinalIgnoreCase)
            ? ShellText.Variable("KVTIERS_CLUSTER", "what was given to --cluster")
            : ShellText.Quote(address.Redis);
        return ["--cluster", redis, .. address.Id == DefaultId ? (string[])[] : ["--cluster-id", ShellText.Quote(address.Id)]];
    }

    /// <summary>What is given; null = HTTP.</summary>
    public ClusterAddress? Value(ParseResult parsed) => parsed.GetValue(_redis) is { } redis ? new(redis, parsed.GetRequiredValue(_id)) : null;
}
