using System.Net;
using System.Net.Sockets;
using KvTiers.Cli.Tests.Http;

namespace KvTiers.Cli.Tests.Chat;

/// <summary>Without a server that is ready, one screen says what was tried, for how long, what was found, and what to do.</summary>
public class ServerTroubleTests
{
    [Fact]
    public async Task WithoutAServerAndWithoutLeaveToStartOneTheCommandThatStartsOneIsNamed()
    {
        CliRun run = await ChatAsync(Nobody(HttpRequestError.ConnectionError), "--no-start", "--url", "http://127.0.0.1:9");

        Assert.Equal(
            """
            error: No server answers at http://127.0.0.1:9/.
              tried  http://127.0.0.1:9/readyz for N s
              found  refused
              do     dotnet run --project silo -c Release -- --urls http://127.0.0.1:9
              or     leave --no-start out, and one is started

            """,
            Timeless(run));
    }

    [Fact]
    public async Task AServerElsewhereIsNotStarted()
    {
        CliRun run = await ChatAsync(Nobody(HttpRequestError.NameResolutionError), "--url", "http://kvtiers.invalid");

        Assert.Equal(
            """
            error: No server answers at http://kvtiers.invalid/; only one on this machine can be started from here.
              tried  http://kvtiers.invalid/readyz for N s
              found  refused
              do     check the address, and that the server there listens on it (its --urls)
              or     leave --url out, and one is started on this machine

            """,
            Timeless(run));
    }

    [Fact]
    public async Task AnotherKindOfServerIsRecognised()
    {
        var other = new FakeServer(_ => FakeServer.Json("{}", HttpStatusCode.NotFound));

        CliRun run = await ChatAsync(other);

        Assert.StartsWith(
            """
            error: What answers at http://127.0.0.1:5080/ is no KvTiers server.
              tried  http://127.0.0.1:5080/readyz for N s
              found  the answer is 404 Not Found
              do     give the address of one with --url

            """,
            Timeless(run));
    }

    [Fact]
    public async Task AServerThatIsNotReadyInTimeSaysWhy()
    {
        var loading = new FakeServer(_ => FakeServer.Json("""{"status":"not_ready","reasons":["the model is loading"]}""", HttpStatusCode.ServiceUnavailable));

        CliRun run = await ChatAsync(loading, "--wait", "1");

        Assert.Equal(
            """
            waiting for the server
            waiting for the server: it is not ready: the model is loading
            error: The server at http://127.0.0.1:5080/ was not ready after 1 s.
              tried  http://127.0.0.1:5080/readyz for N s
              found  it is not ready: the model is loading
              do     wait longer: --wait 2
              or     ask it: curl -s http://127.0.0.1:5080/readyz

            """,
            Timeless(run));
    }

    [Fact]
    public async Task AServerThatBecomesReadyIsWaitedFor()
    {
        int looks = 0;
        var echo = new EchoServer();
        var slow = new FakeServer(request => request.Path == "/readyz" && ++looks < 3
            ? FakeServer.Json("not JSON", HttpStatusCode.ServiceUnavailable)
            : echo.Answer(request));

        CliRun run = await ChatAsync(slow, "--message", "Hello");

        Assert.Equal((0, 3), (run.ExitCode, looks));
        Assert.Equal("waiting for the server\nwaiting for the server: it is not ready, and does not say why\nconversation c1\n", run.Error);
        Assert.StartsWith("You said: Hello\n", run.Output);
    }

    private static Task<CliRun> ChatAsync(FakeServer server, params string[] arguments) => CliRun.WithAsync(server, ["chat", .. arguments]);

    private static FakeServer Nobody(HttpRequestError error) => new(_ => throw new HttpRequestException(error, inner: new SocketException(1, "refused")));

    private static string Timeless(CliRun run)
    {
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        return System.Text.RegularExpressions.Regex.Replace(run.Error, @"for \d+\.\d s", "for N s");
    }
}
