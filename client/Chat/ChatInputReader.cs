using System.Text;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Chat;

/// <summary>Reads messages and commands: a line each, or what stands between <c>"""</c> and <c>"""</c>, however many lines it has.</summary>
/// <param name="nextLine">Waits for the next line, with a prompt for whoever types it.</param>
internal sealed class ChatInputReader(Func<string, CancellationToken, Task<LineRead>> nextLine)
{
    private const string Prompt = "> ";
    private const string PromptInQuotes = "... ";

    /// <returns>The input; it has no command and no text where a quoted text was given up with Ctrl-C.</returns>
    /// <exception cref="CliException">The input ended inside a quoted text.</exception>
    public async Task<(LineEnd End, ChatInput Input)> ReadAsync(CancellationToken cancellationToken)
    {
        LineRead read = await nextLine(Prompt, cancellationToken).ConfigureAwait(false);
        if (read.End != LineEnd.Entered || ChatInput.QuotedFrom(read.Text) is not { } start)
            return (read.End, ChatInput.Parse(read.Text ?? ""));

        var text = new StringBuilder(read.Text, start, read.Text.Length - start, 256);
        while (!text.ToString().TrimEnd().EndsWith(ChatInput.Quotes, StringComparison.Ordinal))
        {
            LineRead more = await nextLine(PromptInQuotes, cancellationToken).ConfigureAwait(false);
            if (more.End == LineEnd.Interrupted)
                return (LineEnd.Entered, new ChatInput(null, ""));
            if (more.End == LineEnd.EndOfInput)
                throw new CliException($"The text that {ChatInput.Quotes} began has no end; {ChatInput.Quotes} at the end of a line ends it.");
            text.Append('\n').Append(more.Text);
        }

        ChatInput head = ChatInput.Parse(read.Text[..(start - ChatInput.Quotes.Length)]);
        return (LineEnd.Entered, head.WithQuoted(Between(text.ToString().TrimEnd()[..^ChatInput.Quotes.Length])));
    }

    // Quotes on lines of their own are no lines of the text.
    private static string Between(string text)
    {
        int first = text.IndexOf('\n');
        if (first >= 0 && string.IsNullOrWhiteSpace(text[..first]))
            text = text[(first + 1)..];
        int last = text.LastIndexOf('\n');
        return last >= 0 && string.IsNullOrWhiteSpace(text[last..]) ? text[..last] : text;
    }
}
