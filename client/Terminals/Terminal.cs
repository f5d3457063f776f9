using System.Text;
using Spectre.Console;

namespace KvTiers.Cli.Terminals;

/// <summary>What a command reads from and writes to: a real terminal, or pipes that get plain text.</summary>
/// <remarks>
/// Colour, cursor movement and prompts on standard output exist only when input and output are both a terminal; on standard error, when it is one.
/// <c>NO_COLOR</c> (any non-empty value) and <c>TERM=dumb</c> switch styling off there as well. Everything else is plain text, never wrapped.
/// </remarks>
internal sealed class Terminal
{
    // Wide enough that no table or line is ever folded in a file.
    private const int PipeWidth = 1000;

    // Below this the terminal wraps lines; that reads better than tables squeezed into columns of one letter.
    private const int LeastWidth = 80;

    private const int UsualHeight = 24;

    public Terminal(
        TextWriter output, TextWriter error, TextReader input, IKeySource? keys = null, bool styled = false, bool errorStyled = false, int? width = null)
    {
        Output = output;
        Error = error;
        Input = input;
        Keys = keys;
        Console = CreateConsole(output, styled, keys is null ? null : width);
        ErrorConsole = CreateConsole(error, errorStyled, errorStyled ? width : null);
        Styled = styled;
        ErrorStyled = errorStyled;
    }

    /// <summary>Rendering (tables, progress, styled lines) to standard output.</summary>
    public IAnsiConsole Console { get; }

    public IAnsiConsole ErrorConsole { get; }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    public TextReader Input { get; }

    /// <summary>The keyboard; <see langword="null"/> when a person does not sit on both ends.</summary>
    public IKeySource? Keys { get; }

    /// <summary>Whether colour and cursor codes may be written to standard output.</summary>
    public bool Styled { get; }

    /// <summary>Whether colour and cursor codes may be written to standard error.</summary>
    public bool ErrorStyled { get; }

    /// <summary>Cells in a line of the process's terminal; 80 for one that does not know.</summary>
    public static int ConsoleWidth => System.Console.WindowWidth is > 1 and var width ? width : LeastWidth;

    /// <summary>Lines of the process's terminal; 24 for one that does not know.</summary>
    public static int ConsoleHeight => System.Console.WindowHeight is > 1 and var height ? height : UsualHeight;

    /// <summary>The process's own terminal or pipes.</summary>
    public static Terminal OfProcess()
    {
        System.Console.OutputEncoding = new UTF8Encoding(false);
        bool dumb = Environment.GetEnvironmentVariable("TERM") is "dumb" or "" or null && !OperatingSystem.IsWindows();
        bool interactive = !System.Console.IsInputRedirected && !System.Console.IsOutputRedirected && !dumb;
        bool colour = !dumb && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        bool errorStyled = colour && !System.Console.IsErrorRedirected;
        return new Terminal(
            System.Console.Out, System.Console.Error, System.Console.In, interactive ? new ConsoleKeys() : null,
            interactive && colour, errorStyled, interactive || errorStyled ? ConsoleWidth : null);
    }

    /// <summary>One line in a quiet style on a terminal, as it is elsewhere.</summary>
    public void WriteNote(string text) => WriteStyled(Console, Output, Styled, text, "grey");

    /// <summary>One line on standard error, prefixed with <c>error:</c>.</summary>
    public void WriteError(string message) => WriteStyled(ErrorConsole, Error, ErrorStyled, "error: " + OneLine(message), "red");

    /// <summary>One line on standard error that is no failure.</summary>
    public void WriteErrorNote(string text) => WriteStyled(ErrorConsole, Error, ErrorStyled, text, "grey");

    private static void WriteStyled(IAnsiConsole console, TextWriter writer, bool styled, string text, string style)
    {
        if (styled)
            console.MarkupLineInterpolated($"[{style}]{text}[/]");
        else
            writer.WriteLine(text);
        writer.Flush();
    }

    private static string OneLine(string message) =>
        string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static IAnsiConsole CreateConsole(TextWriter writer, bool styled, int? width)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = styled ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = styled ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = styled ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
            // Spectre's own reading of the environment (NO_COLOR, CI systems) would override the decision above.
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = Math.Max(width ?? PipeWidth, LeastWidth);
        return console;
    }
}
