using System.CommandLine;
using System.CommandLine.Parsing;
using KvTiers.Cli.Chat;
using KvTiers.Cli.Cluster;
using KvTiers.Cli.Outcomes;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cli.Commands;

/// <summary><c>chat</c>: talks to a server, and starts one when none answers.</summary>
internal static class ChatCommand
{
    private const int MostWaitSeconds = 86_400;

    public static Command Create(CliContext context)
    {
        Option<Uri> url = new("--url")
        {
            Description = "The server's address.",
            HelpName = "url",
            DefaultValueFactory = _ => new KvTiersClientOptions().BaseAddress,
            CustomParser = ParseUrl,
        };
        Option<string?> conversation = new("--conversation") { Description = "Resume this conversation (default: begin a new one).", HelpName = "id" };
        Option<string?> model = new("--model") { Description = "Model folder of a server that has to be started (default: the demo model).", HelpName = "folder" };
        Option<string?> system = new("--system") { Description = "System prompt of a new conversation.", HelpName = "text" };
        Option<double?> temperature = new("--temperature") { Description = "0 = the likeliest token always; up to 2 (default: the server's).", HelpName = "t" };
        Option<int?> maxTokens = new("--max-tokens") { Description = "Most tokens of an answer (default: the server's).", HelpName = "n" };
        Option<long?> seed = new("--seed") { Description = "Seed of the draw: the same seed gives the same answers.", HelpName = "n" };
        Option<string[]> set = new("--set")
        {
            Description = "Any option that /set knows, such as top_p=0.9, stop=Bye or stats=off; repeat it for several.",
            HelpName = "option=value",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        set.Validators.Add(result =>
        {
            foreach (Token token in result.Tokens)
                CheckSet(token.Value, result);
        });
        var apiKey = new ApiKeyOption();
        Option<int> wait = new("--wait")
        {
            Description = $"Seconds that a server may take to be ready, 1 to {MostWaitSeconds}.",
            HelpName = "s",
            DefaultValueFactory = _ => 120,
        };
        wait.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > MostWaitSeconds)
                result.AddError($"--wait is {result.GetValueOrDefault<int>()}; it must be from 1 to {MostWaitSeconds}.");
        });
        Option<bool> noStart = new("--no-start") { Description = "Fail when no server answers, instead of starting one." };
        Option<string[]> messages = new("--message")
        {
            Description = "Say this and leave; repeat it for several turns. Commands such as \"/edit 1 text\" work too.",
            HelpName = "text",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };

        Command command = new("chat", "Chat with the server; starts one when none answers. In the chat, /help lists its commands.")
        {
            url, conversation, model, system, temperature, maxTokens, seed, set, wait, noStart, messages,
        };
        apiKey.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(conversation) is not null && result.GetValue(system) is not null)
                result.AddError("--system is for new conversations; it cannot be given with --conversation.");
        });
        var cluster = new ClusterOption();
        cluster.AddTo(command, url);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new ChatOptions
            {
                Generation = new GenerationOptions
                {
                    MaxTokens = parsed.GetValue(maxTokens),
                    Temperature = parsed.GetValue(temperature),
                    Seed = parsed.GetValue(seed),
                },
            };
            foreach (string one in parsed.GetValue(set) ?? [])
                Set(options, one);
            var settings = new ChatSettings(parsed.GetValue(conversation), parsed.GetValue(system), options);
            IReadOnlyList<string> said = parsed.GetValue(messages) ?? [];
            if (cluster.Value(parsed) is { } address)
            {
                await using ClusterDoor door = await ClusterDoor.OpenAsync(address, cancellationToken).ConfigureAwait(false);
                var clusterHint = new ResumeHint(context.Program, ClusterOption.WordsOf(address));
                return await new ChatTalk(context.Terminal, door.Conversations, $"cluster {address.Id}", clusterHint)
                    .RunAsync(settings, said, cancellationToken).ConfigureAwait(false);
            }

            using var http = new HttpClient(context.NewHttpHandler()) { Timeout = Timeout.InfiniteTimeSpan };
            var probe = new ServerProbe(http, parsed.GetRequiredValue(url));
            var access = new ServerAccess(probe, TimeSpan.FromSeconds(parsed.GetValue(wait)), context.Terminal);
            await using SiloProcess? server = await access.EnsureAsync(parsed.GetValue(model), !parsed.GetValue(noStart), cancellationToken).ConfigureAwait(false);
            string? key = apiKey.Of(parsed);
            var conversations = new HttpConversations(http, new KvTiersClientOptions { BaseAddress = probe.Url, ApiKey = key });
            List<string> again = probe.Url == new KvTiersClientOptions().BaseAddress ? [] : ["--url", ShellText.Quote(probe.Url.AbsoluteUri)];
            if (server is not null && parsed.GetValue(model) is { } folder)
                again.AddRange(["--model", ShellText.Quote(folder)]);
            var hint = new ResumeHint(context.Program, again, key is null ? null : ApiKeyOption.Variable);
            return await new ChatTalk(context.Terminal, conversations, probe.Url.GetLeftPart(UriPartial.Authority), hint)
                .RunAsync(settings, said, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static void CheckSet(string text, OptionResult result)
    {
        try
        {
            Set(new ChatOptions(), text);
        }
        catch (CliException exception)
        {
            result.AddError($"--set {text}: {exception.Message}");
        }
    }

    private static void Set(ChatOptions options, string text)
    {
        string[] parts = text.Split('=', 2);
        if (parts is not [var name, var value])
            throw new CliException("It must be OPTION=VALUE.");
        options.Set(name, value);
    }

    private static Uri? ParseUrl(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url is { Scheme: "http" or "https", Query: "", Fragment: "" })
            return url;
        result.AddError($"--url '{text}' must be an absolute http or https URL, such as http://127.0.0.1:5080.");
        return null;
    }
}
