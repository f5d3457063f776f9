using System.Threading.Channels;

namespace KvTiers.Cli.Terminals;

/// <summary>The keyboard of the process's terminal.</summary>
/// <remarks>
/// One thread stays in <see cref="Console.ReadKey(bool)"/> from the first read on, so the terminal never echoes, and what is typed
/// while an answer streams is kept for the next prompt. From then on Ctrl-C is a key and no signal: a signal would also reach the
/// server that this process started, which must outlive a cancelled answer.
/// </remarks>
internal sealed class ConsoleKeys : IKeySource
{
    private readonly Channel<ConsoleKeyInfo> _keys = Channel.CreateUnbounded<ConsoleKeyInfo>();
    private Thread? _reader;

    public int Width => Terminal.ConsoleWidth;

    public int Height => Terminal.ConsoleHeight;

    public ValueTask<ConsoleKeyInfo> ReadAsync(CancellationToken cancellationToken)
    {
        if (_reader is null)
        {
            Console.TreatControlCAsInput = true;
            _reader = new Thread(Pump) { IsBackground = true, Name = "keys" };
            _reader.Start();
        }

        return _keys.Reader.ReadAsync(cancellationToken);
    }

    private void Pump()
    {
        try
        {
            while (true)
                _keys.Writer.TryWrite(Console.ReadKey(intercept: true));
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            // The terminal went away.
            _keys.Writer.TryComplete();
        }
    }
}
