using System.Net.ServerSentEvents;
using KvTiers.Conversations;

namespace KvTiers.Samples.ChatBackend;

/// <summary>A turn as server-sent events: <c>text</c> for each piece of the answer, then <c>done</c> with what it took, or <c>error</c>.</summary>
internal static class AnswerStream
{
    /// <summary>Waits until the turn has begun, so that an unknown chat or bad input is a status of its own and no broken stream.</summary>
    public static async Task<IResult> StartAsync(IAsyncEnumerable<TurnEvent> turn)
    {
        IAsyncEnumerator<TurnEvent> events = turn.GetAsyncEnumerator();
        try
        {
            await events.MoveNextAsync();
        }
        catch
        {
            await events.DisposeAsync();
            throw;
        }

        return TypedResults.ServerSentEvents(ContinueAsync(events));
    }

    private static async IAsyncEnumerable<SseItem<object>> ContinueAsync(IAsyncEnumerator<TurnEvent> events)
    {
        await using (events)
        {
            while (true)
            {
                SseItem<object>? failure = null;
                try
                {
                    if (!await events.MoveNextAsync())
                        yield break;
                }
                catch (Exception exception) when (exception is IOException or HttpRequestException or TimeoutException)
                {
                    failure = new SseItem<object>(exception.Message, "error");
                }

                if (failure is { } error)
                {
                    yield return error;
                    yield break;
                }

                if (events.Current is TurnToken { Text.Length: > 0 } token)
                    yield return new SseItem<object>(token.Text, "text");
                else if (events.Current is TurnCompleted completed)
                    yield return new SseItem<object>(completed.Usage, "done");
            }
        }
    }
}
