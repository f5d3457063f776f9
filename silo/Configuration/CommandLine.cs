using System.Text;

namespace KvTiers.Silo.Configuration;

/// <summary>The server's command line: short flags, and any setting as <c>--Section:Key=value</c>.</summary>
internal sealed class CommandLine
{
    /// <summary>The short flags, in the order of the help.</summary>
    public static readonly IReadOnlyList<SiloFlag> Flags =
    [
        new("--model", "KvTiers:Model", "PATH", "Folder of the model, or a .gguf file (models/demo, found from the repository root)"),
        new("--urls", "KvTiers:Urls", "URLS", "Addresses to listen on, ';' between them (http://127.0.0.1:5080)"),
        new("--data", "KvTiers:Data", "DIR", "Folder for conversations, packed weights and the disk tier (.kvtiers)"),
        new("--hot", "KvTiers:Hot", "SIZE", "Capacity of the hot tier (512MiB)"),
        new("--ram", "KvTiers:Ram", "SIZE", "Capacity of the RAM tier under the hot tier (0: none)"),
        new("--disk", "KvTiers:Disk", "SIZE", "Capacity of the disk tier in the data folder (0: none)"),
        new("--redis", "KvTiers:Redis", "ADDRESS", "Redis server that shares blocks between silos (none); KvTiers:RedisBytes bounds it (1GiB)"),
        new("--kv", "KvTiers:Kv", "FORMAT", "Format of keys and values: f32 or bf16 (f32)"),
        new("--weights", "KvTiers:Weights", "FORMAT", "Format of the weights: auto, f32, bf16, int8 or int4 (auto: as stored)"),
        new("--engine", "KvTiers:Engine", "kvtiers|torch", "What computes: our own engine, or TorchSharp over libtorch in a server that was built with -p:Torch=cpu (kvtiers)"),
        new("--threads", "KvTiers:Threads", "N", "Threads that compute (the number of processors)"),
        new("--api-key-file", "KvTiers:ApiKeyFile", "FILE", "API keys and what their tenants may take, a file that 'kvtiers-cli keys' writes; read anew when it changes"),
        new("--tenant-secret-file", "KvTiers:TenantSecretFile", "FILE", "The secret that keeps tenants' blocks apart, the same for servers that share a tier: 64 hexadecimal characters (one of its own, in the data folder or on the store's Redis)"),
        new("--record-key-file", "KvTiers:RecordKeyFile", "FILE", "The key of records on disk and on Redis, the same for servers that share them: 64 hexadecimal characters (none: Redis on loopback addresses only)"),
        new("--weight-cache", "KvTiers:WeightCache", "on|off", "Keep packed weights in the data folder, so that later starts are quick (on)"),
        new("--ram-format", "KvTiers:RamFormat", "FORMAT", "How the RAM tier stores: hot (as it is), bf16, fp8, int8 or int4 (hot)"),
        new("--disk-format", "KvTiers:DiskFormat", "FORMAT", "The same for the disk tier (hot)"),
        new("--redis-format", "KvTiers:RedisFormat", "FORMAT", "The same for the Redis tier (hot)"),
        new("--store", "KvTiers:Store", "file|redis", "Where conversations are stored: in the data folder, or on Redis for any silo to continue them (file)"),
        new("--store-redis", "KvTiers:StoreRedis", "ADDRESS", "Redis server of the conversation store (that of --cluster, else of --redis)"),
        new("--cluster", "KvTiers:Cluster", "ADDRESS", "Redis server by which silos find each other (none: this silo is alone); conversations are then on Redis too. More: KvTiers:Orleans:…"),
        new("--tenant-bytes", "KvTiers:TenantBytes", "SIZE", "Room that one tenant's blocks may take over all tiers together (0: no bound)"),
        new("--warm-ahead", "KvTiers:WarmAhead", "TIME", "How long before a conversation's expected return its blocks are loaded from colder tiers (0s: not at all)"),
        new("--name", "KvTiers:Name", "NAME", "Name of this silo in answers (the machine's name)"),
        new("--answer-tokens", "KvTiers:AnswerTokens", "N", "Most tokens of an answer where the request does not say (512)"),
        new("--context-policy", "KvTiers:ContextPolicy", "POLICY", "What is done when a conversation outgrows the model's context: refuse, drop-oldest, keep-ends or summarize (drop-oldest)"),
        new("--max-turns", "KvTiers:MaxTurns", "N", "Answers computed or waiting at one time, shared between tenants (256)"),
        new("--max-body", "KvTiers:MaxBody", "SIZE", "Largest request body (16MiB)"),
        new("--unknown-fields", "KvTiers:UnknownFields", "refuse|ignore", "What is done with fields of a request that are not known (refuse)"),
        new("--stop-grace", "KvTiers:StopGrace", "TIME", "How long turns may finish after Ctrl-C, such as 20s (20s)"),
        new("--environment", "environment", "NAME", "The .NET environment, which picks appsettings.NAME.json (Production)"),
    ];

    private CommandLine(IReadOnlyList<KeyValuePair<string, string?>> settings, bool helpWanted)
    {
        Settings = settings;
        HelpWanted = helpWanted;
    }

    /// <summary>What the command line sets, as configuration keys.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> Settings { get; }

    /// <summary>True when <c>--help</c> is among the arguments.</summary>
    public bool HelpWanted { get; }

    /// <summary>Reads the arguments: <c>--flag value</c>, <c>--flag=value</c>, <c>--Section:Key=value</c>, <c>--Section:Key value</c>.</summary>
    /// <exception cref="StartException">An argument is no known flag, or a value is missing. All such arguments are named.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var settings = new List<KeyValuePair<string, string?>>();
        var errors = new List<string>();
        for (int i = 0; i < args.Count; i++)
        {
            string argument = args[i];
            if (argument is "--help" or "-h" or "-?") return new CommandLine([], helpWanted: true);

            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? argument : argument[..equals];
            string? key = KeyOf(name);
            if (key is null)
            {
                errors.Add($"Unknown argument '{name}'.");
                if (equals < 0 && name.StartsWith("--", StringComparison.Ordinal) && HasValue(args, i)) i++;
            }
            else if (equals >= 0)
            {
                Set(settings, key, argument[(equals + 1)..]);
            }
            else if (HasValue(args, i))
            {
                Set(settings, key, args[++i]);
            }
            else
            {
                errors.Add($"Argument '{name}' needs a value.");
            }
        }

        if (errors.Count == 0) return new CommandLine(settings, helpWanted: false);
        errors.Add($"Known: {string.Join(' ', Flags.Select(flag => flag.Name))} --help, and any setting as --Section:Key=value.");
        throw new StartException(errors);
    }

    /// <summary>The text of <c>--help</c>.</summary>
    public static string Help()
    {
        var text = new StringBuilder();
        text.AppendLine("KvTiers server: chat with a cache that computes only what is new.");
        text.AppendLine();
        text.AppendLine("Usage: kvtiers-silo [flags] [--Section:Key=value …]");
        text.AppendLine();
        foreach (SiloFlag flag in Flags) text.AppendLine($"  {flag.Name + " " + flag.Value,-22} {flag.Help}");
        text.AppendLine($"  {"--help",-22} This text");
        text.AppendLine();
        text.AppendLine("KvTiers:DiskWrite and KvTiers:RedisWrite: when blocks are copied there, on-demote (disk), on-second-use or on-seal (Redis). KvTiers:Watermarks: 0.05,0.1 demotes ahead (off).");
        text.AppendLine("KvTiers:StoreTtl: how long a conversation stays on Redis after its last change, such as 30d (off). KvTiers:StoreDeadline: how long a call to it may take (2s); KvTiers:RedisDeadline: one to the Redis tier (500ms). KvTiers:RedisReadAtOnce: bytes asked for at one time (8MiB).");
        text.AppendLine("KvTiers:Promotion chooses what is loaded from colder tiers rather than computed: by-rate (default), always, never.");
        text.AppendLine("KvTiers:SystemPrompts:0, :1, … are texts whose blocks are computed at start, for the first conversation to find.");
        text.AppendLine("Prices of a million tokens: KvTiers:Prices:Input, :CachedInput (a tenth of Input), :Output, :Currency.");
        text.AppendLine("Every setting also comes from appsettings.json (section KvTiers) and the environment: KVTIERS__MODEL, KVTIERS__HOT, …");
        text.AppendLine("With OTEL_EXPORTER_OTLP_ENDPOINT set, metrics and traces go to that collector.");
        return text.ToString();
    }

    // Of a setting given twice, the last value counts.
    private static void Set(List<KeyValuePair<string, string?>> settings, string key, string value)
    {
        settings.RemoveAll(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase));
        settings.Add(new(key, value));
    }

    private static bool HasValue(IReadOnlyList<string> args, int index) =>
        index + 1 < args.Count && !args[index + 1].StartsWith("--", StringComparison.Ordinal);

    private static string? KeyOf(string name)
    {
        if (!name.StartsWith("--", StringComparison.Ordinal)) return null;
        SiloFlag? flag = Flags.FirstOrDefault(flag => flag.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (flag is not null) return flag.Key;
        return name.AsSpan(2).IndexOf(':') > 0 && !name.EndsWith(':') ? name[2..] : null;
    }
}
