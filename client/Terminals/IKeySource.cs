namespace KvTiers.Cli.Terminals;

/// <summary>Keys as they are pressed, not echoed. Ctrl-C is a key like any other.</summary>
internal interface IKeySource
{
    /// <summary>Cells in one line of the terminal, now.</summary>
    int Width { get; }

    /// <summary>Lines of the terminal, now.</summary>
    int Height { get; }

    /// <summary>Waits for the next key.</summary>
    ValueTask<ConsoleKeyInfo> ReadAsync(CancellationToken cancellationToken);
}
