using System.Threading.Channels;

namespace KvTiers.Cli.Terminals;

/// <summary>Keys for the line editor, and Ctrl-C for whatever runs between two lines.</summary>
internal sealed class Keyboard(IKeySource source)
{
    private readonly Queue<ConsoleKeyInfo> _typedAhead = new();

    public int Width => Math.Max(source.Width, 2);

    public int Height => Math.Max(source.Height, 2);

    /// <summary>The next key, those typed ahead first; <see langword="null"/> when the terminal is gone.</summary>
    public async ValueTask<ConsoleKeyInfo?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_typedAhead.TryDequeue(out ConsoleKeyInfo key))
            return key;
        try
        {
            return await source.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    /// <summary>Runs <paramref name="work"/>; Ctrl-C cancels it, other keys wait for the next line.</summary>
    /// <exception cref="OperationCanceledException">Ctrl-C, or <paramref name="cancellationToken"/>.</exception>
    public async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var interrupted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var finished = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task watch = WatchAsync(interrupted, finished.Token);
        try
        {
            await work(interrupted.Token).ConfigureAwait(false);
        }
        finally
        {
            await finished.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(false);
        }
    }

    public static bool IsInterrupt(ConsoleKeyInfo key) => key is { Key: ConsoleKey.C, Modifiers: ConsoleModifiers.Control };

    private async Task WatchAsync(CancellationTokenSource interrupted, CancellationToken finished)
    {
        try
        {
            while (true)
            {
                ConsoleKeyInfo key = await source.ReadAsync(finished).ConfigureAwait(false);
                // A second Ctrl-C is for the prompt.
                if (IsInterrupt(key) && !interrupted.IsCancellationRequested)
                    await interrupted.CancelAsync().ConfigureAwait(false);
                else
                    _typedAhead.Enqueue(key);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ChannelClosedException)
        {
            // The work is over, or nobody can type any more.
        }
    }
}
