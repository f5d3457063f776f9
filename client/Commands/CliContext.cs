using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Commands;

/// <summary>What commands get from outside: the terminal, and the way to a server.</summary>
/// <param name="Terminal">Where to read and write.</param>
/// <param name="NewHttpHandler">Makes the handler that HTTP requests go through.</param>
internal sealed record CliContext(Terminal Terminal, Func<HttpMessageHandler> NewHttpHandler)
{
    public static CliContext OfProcess() => new(Terminal.OfProcess(), () => new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) });
}
