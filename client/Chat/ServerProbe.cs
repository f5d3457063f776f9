using System.Net;
using System.Text.Json;

namespace KvTiers.Cli.Chat;

/// <summary>Asks <c>/readyz</c> what is at an address.</summary>
internal sealed class ServerProbe(HttpClient http, Uri url)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    public Uri Url => url;

    /// <summary>What is asked.</summary>
    public Uri ReadyUrl { get; } = new(url.AbsoluteUri.TrimEnd('/') + "/readyz");

    public async Task<ServerLook> LookAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerLimit);
        try
        {
            using HttpResponseMessage response = await http.GetAsync(ReadyUrl, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            return response.StatusCode switch
            {
                HttpStatusCode.OK => new(ServerState.Ready, "it is ready"),
                HttpStatusCode.ServiceUnavailable => new(ServerState.NotReady, await ReasonAsync(response, limit.Token).ConfigureAwait(false)),
                var status => new(ServerState.Foreign, $"the answer is {(int)status} {response.ReasonPhrase}"),
            };
        }
        catch (HttpRequestException exception) when (
            exception.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            return new(ServerState.Absent, exception.GetBaseException().Message);
        }
        catch (HttpRequestException exception)
        {
            return new(ServerState.Foreign, exception.GetBaseException().Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It took the connection, so something is there; it may be busy starting.
            return new(ServerState.NotReady, $"it takes connections, and does not answer within {AnswerLimit.TotalSeconds:0} s");
        }
    }

    /// <summary>Waits until the server is ready, or until <paramref name="giveUp"/>, which is told what was found, throws.</summary>
    public async Task WaitUntilReadyAsync(Action<ServerLook> giveUp, CancellationToken cancellationToken)
    {
        while (await LookAsync(cancellationToken).ConfigureAwait(false) is { State: not ServerState.Ready } look)
        {
            giveUp(look);
            await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        const string Unknown = "it is not ready, and does not say why";
        try
        {
            using JsonDocument body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false));
            return body.RootElement.TryGetProperty("reasons", out JsonElement reasons) && reasons.GetArrayLength() > 0
                ? "it is not ready: " + string.Join("; ", reasons.EnumerateArray().Select(reason => reason.GetString()))
                : Unknown;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return Unknown;
        }
    }
}
