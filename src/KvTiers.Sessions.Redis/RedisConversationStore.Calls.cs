using KvTiers.Redis;
using StackExchange.Redis;

namespace KvTiers.Sessions.Redis;

/// <content>Calls under the deadline, and how the server is.</content>
public sealed partial class RedisConversationStore
{
    internal Task<T> CallAsync<T>(Func<IDatabase, Task<T>> call, CancellationToken cancellationToken) => CallAsync(() => call(Database), cancellationToken);

    /// <summary>Makes a call under the deadline. A lost connection is tried again until then: every call may be made twice.</summary>
    private async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.Deadline);
        while (true)
        {
            Task<T>? pending = null;
            try
            {
                pending = call();
                T result = await pending.WaitAsync(deadline.Token).ConfigureAwait(false);

                // One node of a cluster that answers says nothing of the others.
                if (!_nodes.IsCluster)
                    _isFailing = false;
                return result;
            }
            catch (RedisException fault) when (!deadline.IsCancellationRequested && PassesSoon(fault))
            {
                await Task.WhenAny(Task.Delay(RetryDelay, deadline.Token)).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                Forget(pending);
                throw;
            }
            catch (RedisServerException fault) when (BookkeepingException.Says(fault))
            {
                throw new BookkeepingException($"A key of the conversation store holds what is not its own: {fault.Message}", fault);
            }
            catch (Exception fault) when (fault is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
            {
                Forget(pending);
                throw Unavailable(fault);
            }
        }
    }

    // A connection comes back; a server that was just started reads its file first; a cluster puts a replica in a node's place, and moves slots (the client follows one once).
    private static bool PassesSoon(RedisException fault) => fault is RedisConnectionException
        || (fault is RedisServerException && PassingErrors.Any(error => fault.Message.StartsWith(error, StringComparison.Ordinal)));

    private async Task LookAsync()
    {
        try
        {
            await _nodes.LookAsync().WaitAsync(_options.Deadline).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is RedisException or TimeoutException)
        {
            _isFailing = true;
        }
    }

    // A node of a cluster that has lost others may answer, and refuse every key.
    private async Task<bool> AreWellAsync()
    {
        if (await _nodes.LookAsync().ConfigureAwait(false))
        {
            RedisResult[] all = await Task.WhenAll(_nodes.Primaries.Select(place => _connection.GetServer(place).ExecuteAsync("CLUSTER", "INFO"))).ConfigureAwait(false);
            return all.All(info => info.ToString().Contains("cluster_state:ok", StringComparison.Ordinal));
        }

        await Database.PingAsync().ConfigureAwait(false);
        return true;
    }

    private static void Forget(Task? task) => task?.ContinueWith(
        static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
