using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using KvTiers.Cli.Outcomes;

namespace KvTiers.Cli;

/// <summary>The usual help, and below it the exit codes.</summary>
internal sealed class HelpText(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    /// <summary>Puts this in the place of the help of <paramref name="root"/> and all its commands.</summary>
    public static void Install(RootCommand root)
    {
        HelpOption option = root.Options.OfType<HelpOption>().Single();
        option.Action = new HelpText((HelpAction)option.Action!);
    }

    public override int Invoke(ParseResult parseResult)
    {
        usual.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Exit codes:");
        output.WriteLine($"  {ExitCodes.Ok,-4} ok");
        output.WriteLine($"  {ExitCodes.Error,-4} error");
        output.WriteLine($"  {ExitCodes.Usage,-4} wrong usage");
        output.WriteLine($"  {ExitCodes.Interrupted,-4} interrupted");
        return ExitCodes.Ok;
    }
}
