using System.CommandLine;
using System.CommandLine.Parsing;
using KvTiers.Cli.Chat;
using KvTiers.Cli.Cluster;
using KvTiers.Cli.Terminals;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cli.Commands;

/// <summary><c>chat</c>: talks to a server, and starts one when none answers.</summary>
internal static class ChatCommand
{
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
        var apiKey = new ApiKeyOption();
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
            url, conversation, model, system, temperature, maxTokens, seed, noStart, messages,
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
            var settings = new ChatSettings(
                parsed.GetValue(conversation),
                parsed.GetValue(system),
                new GenerationOptions
                {
                    MaxTokens = parsed.GetValue(maxTokens),
                    Temperature = parsed.GetValue(temperature),
                    Seed = parsed.GetValue(seed),
                });
            if (cluster.Value(parsed) is { } address)
            {
                await using ClusterDoor door = await ClusterDoor.OpenAsync(address, cancellationToken).ConfigureAwait(false);
                return await TalkAsync(context.Terminal, door.Conversations, $"cluster {address.Id}", settings, parsed.GetValue(messages) ?? [], cancellationToken)
                    .ConfigureAwait(false);
            }

            using var http = new HttpClient(context.NewHttpHandler()) { Timeout = Timeout.InfiniteTimeSpan };
            var probe = new ServerProbe(http, parsed.GetRequiredValue(url));
            await using SiloProcess? server = await ServerAccess.EnsureAsync(
                probe, parsed.GetValue(model), !parsed.GetValue(noStart), context.Terminal, cancellationToken).ConfigureAwait(false);
            var conversations = new HttpConversations(http, new KvTiersClientOptions { BaseAddress = probe.Url, ApiKey = apiKey.Of(parsed) });
            return await TalkAsync(context.Terminal, conversations, probe.Url.GetLeftPart(UriPartial.Authority), settings, parsed.GetValue(messages) ?? [], cancellationToken)
                .ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> TalkAsync(
        Terminal terminal, IConversations conversations, string place, ChatSettings settings, IReadOnlyList<string> messages, CancellationToken cancellationToken)
    {
        var session = new ChatSession(conversations, settings, terminal);
        string model = await session.OpenAsync(cancellationToken).ConfigureAwait(false);

        bool prompts = terminal.Keys is not null && messages.Count == 0;
        if (!prompts)
        {
            terminal.WriteErrorNote($"conversation {session.Conversation}");
            var source = new Queue<string>(messages);
            return await new ChatLoop(session, terminal, null).RunAsync(
                messages.Count > 0 ? _ => Task.FromResult(Next(source)) : ct => ReadLineAsync(terminal.Input, ct), cancellationToken).ConfigureAwait(false);
        }

        var keyboard = new Keyboard(terminal.Keys!);
        var editor = new LineEditor(keyboard, terminal.Output);
        terminal.WriteNote($"{model} at {place}, conversation {session.Conversation}; /help lists commands");
        if (session.TurnCount > 0)
            terminal.WriteNote($"resumed at turn {session.TurnCount}; /history shows it");
        terminal.Output.WriteLine();
        int code = await new ChatLoop(session, terminal, keyboard)
            .RunAsync(ct => editor.ReadAsync("> ", ct), cancellationToken).ConfigureAwait(false);
        if (session.TurnCount > 0)
            terminal.WriteNote($"resume with: chat --conversation {session.Conversation}");
        return code;
    }

    private static LineRead Next(Queue<string> messages) =>
        messages.TryDequeue(out string? message) ? new LineRead(LineEnd.Entered, message) : new LineRead(LineEnd.EndOfInput);

    // A blocked read of a pipe cannot be cancelled; it is left behind when the process ends.
    private static async Task<LineRead> ReadLineAsync(TextReader input, CancellationToken cancellationToken) =>
        await Task.Run(input.ReadLine, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false) is { } line
            ? new LineRead(LineEnd.Entered, line)
            : new LineRead(LineEnd.EndOfInput);

    private static Uri? ParseUrl(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url is { Scheme: "http" or "https", Query: "", Fragment: "" })
            return url;
        result.AddError($"--url '{text}' must be an absolute http or https URL, such as http://127.0.0.1:5080.");
        return null;
    }
}
