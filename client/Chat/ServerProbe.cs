using System.Net;

namespace KvTiers.Cli.Chat;

/// <summary>Asks <c>/readyz</c> what is at an address.</summary>
internal sealed class ServerProbe(HttpClient http, Uri url)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    public Uri Url => url;

    public async Task<ServerState> LookAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerLimit);
        try
        {
            string root = url.AbsoluteUri.TrimEnd('/');
            using HttpResponseMessage response =
                await http.GetAsync(new Uri(root + "/readyz"), HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            return response.StatusCode switch
            {
                HttpStatusCode.OK => ServerState.Ready,
                HttpStatusCode.ServiceUnavailable => ServerState.NotReady,
                _ => ServerState.Foreign,
            };
        }
        catch (HttpRequestException exception) when (
            exception.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            return ServerState.Absent;
        }
        catch (HttpRequestException)
        {
            return ServerState.Foreign;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It took the connection, so something is there; it may be busy starting.
            return ServerState.NotReady;
        }
    }

    /// <summary>Waits until the server is ready, or until <paramref name="giveUp"/> throws.</summary>
    public async Task WaitUntilReadyAsync(Action giveUp, CancellationToken cancellationToken)
    {
        while (await LookAsync(cancellationToken).ConfigureAwait(false) != ServerState.Ready)
        {
            giveUp();
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }
}
