namespace KvTiers.Cli.Terminals;

/// <summary>Asks a terminal to mark what is pasted, and takes that back at the end.</summary>
internal sealed class BracketedPaste : IDisposable
{
    private readonly TextWriter _output;

    public BracketedPaste(TextWriter output)
    {
        _output = output;
        Write("\u001b[?2004h");
    }

    public void Dispose() => Write("\u001b[?2004l");

    private void Write(string code)
    {
        _output.Write(code);
        _output.Flush();
    }
}
