using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Chat;

/// <summary>Takes inputs until they end or the user leaves: messages go to the session, commands are carried out.</summary>
/// <param name="session">What answers.</param>
/// <param name="commands">What the user can do with it.</param>
/// <param name="terminal">Where failures are written.</param>
/// <param name="keyboard">Who may cancel an answer; without one, the first failure ends the loop.</param>
internal sealed class ChatLoop(ChatSession session, ChatCommands commands, Terminal terminal, Keyboard? keyboard)
{
    /// <param name="inputs">Where messages and commands come from.</param>
    /// <param name="cancellationToken">Ends everything.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(ChatInputReader inputs, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                (LineEnd end, ChatInput input) = await inputs.ReadAsync(cancellationToken).ConfigureAwait(false);
                if (end != LineEnd.Entered)
                    return end == LineEnd.Interrupted ? ExitCodes.Interrupted : ExitCodes.Ok;
                if (input.Command is null && string.IsNullOrWhiteSpace(input.Text))
                    continue;
                if (ChatCommands.IsLeave(input.Command))
                    return ExitCodes.Ok;
                if (keyboard is null)
                    await CarryOutAsync(input, cancellationToken).ConfigureAwait(false);
                else
                    await keyboard.RunAsync(ct => CarryOutAsync(input, ct), cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (keyboard is not null && !cancellationToken.IsCancellationRequested)
            {
                terminal.WriteNote("cancelled; the conversation is as it was");
            }
            catch (Exception exception) when (keyboard is not null && Failures.Describe(exception) is { } message)
            {
                terminal.WriteError(message);
            }

            await terminal.Output.WriteLineAsync().ConfigureAwait(false);
            await terminal.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private Task CarryOutAsync(ChatInput input, CancellationToken cancellationToken) => input.Command is { } name
        ? commands.CarryOutAsync(name, input, cancellationToken)
        : session.SayAsync(input.Text, cancellationToken);
}
